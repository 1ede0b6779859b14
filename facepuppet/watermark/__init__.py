"""The invisible keyed mark that every outgoing frame carries, and its detector."""
