"""Simulated hardware that speaks each device's own wire protocol and misbehaves on request. It ships with the product.

The drivers run unchanged against it: serial devices sit on a pseudo terminal behind a stable link, the RF field behind
nfcpy's udp device. Nothing in here knows a driver or the controller.
"""
