"""Many callbacks: results are formatted, then printed; failures pass the callbacks by and reach the errback."""

import sys

from twisted.internet import defer, reactor


class Getter:
    """Gives three times an even number, later; refuses an odd one."""

    def get(self, x):
        deferred = defer.Deferred()
        deferred.addCallback(self.format)
        reactor.callLater(0.5, self.fire, deferred, x)
        return deferred

    def fire(self, deferred, x):
        if x % 2 == 0:
            deferred.callback(x * 3)
        else:
            deferred.errback(ValueError("You used an odd number!"))

    def format(self, result):
        return f"Result: {result}"


def show(text):
    print(text)


def show_error(failure):
    sys.stderr.write(str(failure) + "\n")


getter = Getter()
for number in (3, 4):
    deferred = getter.get(number)
    deferred.addCallback(show)
    deferred.addErrback(show_error)

reactor.callLater(1.5, reactor.stop)
reactor.run()
