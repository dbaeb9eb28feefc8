"""Memory that reading JSON takes, measured in a process of its own."""

from __future__ import annotations

from tests.support.packed_files import peak_of_a_child


def test_memory_does_not_grow_with_the_file():
    """1 GiB in one line, of small elements, or all in one string."""
    code = (
        "import sys\n"
        "from lakehouse.errors import BadFile\n"
        "from lakehouse.sources.formats.json_records import as_lines\n"
        "one = eval(sys.argv[1]); n = 0\n"
        "def chunks():\n"
        "    yield sys.argv[3].encode()\n"
        "    for _ in range(int(sys.argv[2])): yield one\n"
        "    yield b']'\n"
        "try: n = sum(map(len, as_lines(chunks())))\nexcept BadFile as error: n = error.code\n"
        "print(n)"
    )
    printed, peak = peak_of_a_child(
        code, "b',{\"a\": [1, 2, {\"b\": \"' + b'x' * (1 << 20) + b'\"}]}'", "128", "[1"
    )
    assert int(printed) > 128 << 20
    assert peak < 64
    printed, peak = peak_of_a_child(code, "b'x' * (1 << 20)", "1024", '[1,"')
    assert printed == "too_long"
    assert peak < 96
