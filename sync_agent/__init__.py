"""Takes the gate's journal to the school server, and other gates' entries and the directory back.

A process of its own, so that a hanging server can never freeze a gate. It reads `journal.db` and never
writes it; it never drops an entry that the server has not stored.
"""
