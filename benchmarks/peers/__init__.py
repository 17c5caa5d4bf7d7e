"""The systems that searchfeed is measured against, each behind the same few methods.

A peer's package is imported only when the peer is made, so that one that is not installed is
left out of a run and spoils nothing else.
"""
