"""The parts of a context as text, each within a token limit: what does not fit is cut and named.

Owns the form of a part on the page, a module per part; `agent.prompt.sections` lists the parts,
`agent.prompt.prompt` gives each its budget.
"""
