"""The whole fleet: which Applications are in trouble, and what they have in common.

`survey` lists and looks at the troubled ones one by one, `grouping` puts together what has one cause, and `overview` is
both for one turn.
"""
