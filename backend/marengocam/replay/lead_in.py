"""How much video before a stretch is looked at along with it."""

from datetime import timedelta

LEAD_IN = timedelta(seconds=20)  # gate, pace and tracker are warm by then: what began in it is followed on
