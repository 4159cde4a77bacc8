"""Notices to staff: what the journal already holds, told again in a group chat, by mail or to a webhook.

A notice is never the only way in which somebody learns something: the duty page is. Nothing here decides about a child,
nothing here is waited for by a decision, and nothing is called sent that the other side did not accept.
"""
