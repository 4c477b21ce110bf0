"""What torsion.testing and the pytest plugin are made of: transports, reactors without sockets, what a test left.

Two kinds. The *fakes* (transports.py, protocols.py, memory.py) note what they are told and do nothing: a test looks at
them and plays the other side by hand. The *virtual reactor* (sockets.py, virtual.py) is the real one, with time and a
network of its own: programs run on it unchanged.
"""
