"""MarengoCam: who is where, from ordinary cameras."""

__version__ = "0.1.0"
