"""`kiosk simulate --gates N`: several gates and a school server in virtual time, with every fault that the design names.

The real core, loop, journal, fold, sync agent and server rules run; clock, disk and network are models. A seed names a history
for ever; a history that breaks an invariant is made as small as it gets before it is shown. START HERE: `running.py`.
"""
