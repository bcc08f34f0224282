"""Compares README.md's table of specifications with what `parleyd --list-xeps` prints.

usage: readme_table.py README PARLEYD [--write]
"""

import pathlib
import subprocess
import sys

BEGIN, END = "<!-- xeps: begin -->\n", "<!-- xeps: end -->"


def main():
    readme = pathlib.Path(sys.argv[1])
    table = subprocess.run([sys.argv[2], "--list-xeps"], capture_output=True, text=True,
                           check=True).stdout
    text = readme.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    shown, tail = rest.split(END)
    if sys.argv[3:] == ["--write"]:
        readme.write_text(head + BEGIN + table + END + tail, encoding="utf-8")
        return 0
    if shown != table or not table.strip():
        print("README.md's table of specifications is out of date; mend it with\n"
              f"  {sys.argv[0]} README.md parleyd --write")
        return 1
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
