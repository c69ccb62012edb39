"""Who answers: one module per provider behind the contract in `provider`."""
