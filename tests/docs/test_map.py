"""The map and the picture of the README are the folders of `agent/`, in the order in which they import one another."""

import re
import tomllib
from pathlib import Path

from tests.docs.pages import README, ROOT, code_blocks, rows, section

AGENT = ROOT / "agent"


def folders_of(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if (each / "__init__.py").exists())


def layers() -> dict[str, int]:
    """The floor of each room by the contract that holds the imports: 0 is the top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (rooms,) = [contract for contract in contracts if contract.get("containers") == ["agent"]]
    return {room.strip(): floor for floor, layer in enumerate(rooms["layers"]) for room in layer.split("|")}


def map_rows() -> list[list[str]]:
    return list(rows(section(README, "Where things are")))


def mapped_rooms() -> list[str]:
    return [match[1] for row in map_rows() if (match := re.fullmatch(r"`agent/(\w+)/`", row[0]))]


def picture() -> str:
    (text,) = code_blocks(README, "mermaid")
    return text


def drawn() -> dict[str, str]:
    """The boxes of the picture: the text of each, by its name."""
    return dict(re.findall(r'^\s*(\w+)\["(.+?)"\]$', picture(), re.MULTILINE))


def arrows() -> list[tuple[str, str]]:
    return re.findall(r"^\s*(\w+) --> (\w+)$", picture(), re.MULTILINE)


def test_the_map_names_each_folder_of_agent_and_no_other() -> None:
    assert sorted(mapped_rooms()) == folders_of(AGENT)


def test_the_map_is_in_the_order_of_the_layers() -> None:
    floors = [layers()[room] for room in mapped_rooms()]

    assert floors == sorted(floors)


def test_the_map_names_each_file_of_agent_and_of_the_root() -> None:
    cells = " ".join(row[0] for row in map_rows())
    files = {f"agent/{path.name}" for path in AGENT.glob("*.py") if path.name != "__init__.py"}

    assert set(re.findall(r"`([\w/]+\.py)`", cells)) == files | {path.name for path in ROOT.glob("*.py")}


def test_what_the_row_of_a_folder_names_is_in_it() -> None:
    for row in map_rows():
        folder = ROOT / row[0].strip("`")
        named = re.findall(r"`([\w/]+(?:\.\w+|/))`", row[1])
        assert [each for each in named if not (folder / each).exists()] == [], row[0]


def test_the_picture_draws_each_folder_of_agent_and_the_server() -> None:
    assert sorted(drawn()) == sorted([*folders_of(AGENT), "serve"])
    for name, text in drawn().items():
        assert re.match(rf"(\d )?{name}<br/>", text), f"the box of {name} begins with its name"


def test_the_boxes_are_in_the_order_of_the_layers() -> None:
    floors = [layers()[room] for room in drawn() if room != "serve"]

    assert floors == sorted(floors)


def test_every_arrow_leads_down() -> None:
    contracts = layers()
    contracts["serve"] = contracts["cli"]  # between the commands and the model, by a contract of its own

    assert {end for arrow in arrows() for end in arrow} == set(drawn())
    assert [(one, other) for one, other in arrows() if contracts[one] > contracts[other]] == []


def test_every_arrow_is_an_import() -> None:
    def imports(room: str, other: str) -> bool:
        folder = ROOT / room if room == "serve" else AGENT / room
        module = other if other == "serve" else f"agent.{other}"
        pattern = re.compile(rf"^\s*from {re.escape(module)}[. ]", re.MULTILINE)
        return any(pattern.search(path.read_text()) for path in folder.rglob("*.py"))

    assert [arrow for arrow in arrows() if not imports(*arrow)] == []


def test_the_steps_are_numbered_in_their_order() -> None:
    steps = {int(number): room for room, text in drawn().items() for number in re.findall(r"(?:^|>)(\d) ", text)}

    assert list(map(steps.get, range(1, 8))) == [
        "request",
        "context",
        "redaction",
        "findings",
        "prompt",
        "providers",
        "turn",
    ]
