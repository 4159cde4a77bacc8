"""The school server in its smallest useful form: stores every entry once, relays it to other gates, serves the directory.

It stores facts and does not judge them. Whatever it acknowledges is on its disk.
"""
