"""The privacy side of the records: what is erased and when, what a family is given, and what the school tells families.

Everything here works off the loop. Facts say what was decided and what was done; nothing here decides whom a gate lets in.
"""
