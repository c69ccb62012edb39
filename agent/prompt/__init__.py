"""The prompt of a turn: instructions, sections and question within a token budget."""
