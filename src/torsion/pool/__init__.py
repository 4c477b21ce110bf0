"""Floor 3: threads. Knows nothing of the reactor; whoever wants an answer in a certain thread says so."""
