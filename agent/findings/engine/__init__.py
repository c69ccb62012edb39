"""What all analyzers share: the inventory of a context, evidence, the form of a finding, ranking."""
