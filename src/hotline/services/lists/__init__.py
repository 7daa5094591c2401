"""The administrator's lists as Excel tables: written out, read in, compared with what is there, applied as a whole.

One road for all of them (`importing`); what is particular to a list stands in a module of its own and in `registry`.
"""
