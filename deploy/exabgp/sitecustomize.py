"""Lets ExaBGP take its times on a clock that nobody can set.

ExaBGP 4.2 measures hold and keepalive times with time.time(). When the clock of the machine is set forward by more than the hold
time, every session ends at once; when it is set back, no keepalive is sent for as long as that, and the routers end the sessions.
Python imports a module of this name at its start, before ExaBGP, when its folder is in PYTHONPATH. From then on time.time() is the
time of the start plus what has passed on the monotonic clock. The times in ExaBGP's own log follow no later step of the clock.
"""

import time

_offset = time.time() - time.monotonic()


def _steady_time():
    return _offset + time.monotonic()


time.time = _steady_time
