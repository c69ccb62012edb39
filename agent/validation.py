"""What a validation found wrong, in plain words. Owns no field: who validates says where, and may say it better."""

from pydantic_core import ErrorDetails


def complaint(error: ErrorDetails) -> str:
    """What would be right, as a predicate: `must be text`. Never holds the value, which may be a secret."""
    limits = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "is required"
        case "value_error":
            return str(limits["error"])
        case "string_type":
            return "must be text"
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must have at most {limits['max_length']} characters"
        case "dict_type" | "model_type":
            return "must be an object"
        case "list_type":
            return "must be a list"
        case "bool_type" | "bool_parsing":
            return "must be true or false"
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return "must be a whole number"
        case "float_type" | "float_parsing" | "finite_number":
            return "must be a number"
        case "greater_than":
            return f"must be greater than {limits['gt']:,.10g}"
        case "greater_than_equal":
            return f"must be at least {limits['ge']:,.10g}"
        case "less_than_equal":
            return f"must be at most {limits['le']:,.10g}"
        case "literal_error":
            return f"must be one of {limits['expected']}"
        case _:
            return error["msg"].replace("Input should", "must").replace("Keys should", "keys must")
