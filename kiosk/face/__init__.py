"""Faces as help for the guard: a picture held against the one template of the person whose card was read.

Off unless `[face]` in site.toml turns it on, and then only for pupils whose family agreed. It never opens a door, never refuses
anybody, never delays a tap, and never searches the whole school. See docs/face.md.
"""
