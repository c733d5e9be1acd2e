"""Composed pages: each function calls a few selectors and returns one frozen object of texts and numbers.

Templates print these objects and nothing else: no query, no rule, no formatting happens in a template.
"""
