"""A general reading of any resource's `status`: conditions of either polarity, states, errors, counts.

signs                     the signs of a fault
  conditions, fields, counts
    nodes, situation      the walk over the status; whether the whole is ready, progressing or suspended
      words               the one table of words, and the tone of an identifier or a sentence
"""
