"""What is known of the target: the values (`model`), and the sources that read them (`collect` joins them)."""
