"""The pages and the HTTP surface of a gate: what people and network readers see and press.

`faces` turns views into HTML and knows nothing of HTTP; `app` speaks HTTP and writes no HTML.
"""
