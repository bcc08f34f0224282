"""The rules of the house, checked on every file: layers, forbidden calls, sizes, headers.

usage: tidy.py ROOT           checks the tree, lists every breach, exit code 1 if there is one
       tidy.py --self-test    proves that each rule can fail
"""

import pathlib
import re
import subprocess
import sys

LINES_MAX = 600
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100

# Which folders' headers a file may include, by the longest matching prefix of its own path
# (DESIGN.md section 3). A folder may always include itself.
LAYERS = {
    "reactor/base": [],
    "reactor": ["reactor/base"],
    "xmpp": ["reactor/base"],
    "storage": ["reactor", "xmpp/core/jid.h", "xmpp/core/ids.h"],
    "server/config": ["reactor/base", "xmpp/core"],
    "server/observe": ["reactor/base", "reactor/world.h"],
    "server/accounts": ["reactor", "xmpp", "storage", "server/config", "server/observe"],
    "server/routing": ["reactor", "xmpp", "storage", "server/accounts", "server/config",
                       "server/observe"],
    "server/sessions": ["reactor", "xmpp", "storage", "server/routing", "server/accounts",
                        "server/config", "server/observe"],
    "server/modules": ["reactor", "xmpp", "storage", "server/routing", "server/accounts",
                       "server/config", "server/observe", "server/sessions/before_login.h"],
    "server/admin": ["reactor", "xmpp/core", "server/config", "server/observe"],
    "server/ctl": ["reactor/base", "server/admin", "server/observe"],
    "server": ["reactor", "xmpp", "storage", "server"],
    "tests": ["reactor", "xmpp", "storage", "server", "tests"],
}

# A library's headers, and the only files that may include them.
LIBRARIES = {
    r"boost/asio": r"reactor/(.*\.cpp|interop/use_deferred\.h)|tests/(reactor|bench/asio)/.*\.cpp",
    r"boost/json": r"server/admin/.*\.cpp",
    r"boost/": r"(reactor|server/admin)/.*\.cpp|reactor/interop/use_deferred\.h|tests/(reactor|bench/asio)/.*\.cpp",
    r"openssl/": r"(reactor/tls.*|xmpp/sasl/.*\.(cpp|h)|server/routing/archive_id\.cpp|xmpp/payloads/.*\.cpp|tests/.*)",
    r"unbound\.h": r"reactor/resolver_unbound\.cpp",
    r"sqlite3\.h": r"(storage/sqlite/.*\.cpp|tests/storage/.*)",
    r"expat\.h": r"(xmpp/xml/.*|tests/bots/report/well_formed)\.cpp",
    r"unicode/": r"xmpp/(core|sasl)/.*\.(cpp|h)",
    r"toml\+\+|toml\.hpp": r"(server/config|tests/bots/workload)/.*\.cpp",
    r"CLI/": r"server/(main|ctl/.*)\.cpp|tests/(scenarios/main|sim/main|bots/run/command_line)\.cpp",
    r"spdlog/": r"server/observe/.*\.cpp",
    r"gtest/|gmock/": r"tests/.*",
    r"benchmark/": r"tests/.*bench.*",
}

HEADER_BANS = ("iostream", "regex", "sqlite3.h", "expat.h")

# Outside effects belong to the World (DESIGN.md section 5): the pattern, where it is allowed, why.
CALLS = [
    (r"std::chrono::\w*_clock|\bclock_gettime\s*\(|\bgettimeofday\s*\(|[^\w.:>]time\s*\(\s*(NULL|nullptr|0)?\s*\)",
     r"reactor/real_world\.cpp|tests/.*|server/ctl/.*", "time comes from the World's Clock"),
    (r"\b(rand|srand|random|drand48)\s*\(\s*\)|std::(random_device|mt19937)|\bgetrandom\s*\(|RAND_bytes",
     r"reactor/(real_world|tls_self_signed|tls_tickets)\.cpp|tests/.*", "randomness comes from the World's Entropy"),
    (r"[^\w.>_](usleep|nanosleep)\s*\(|(?<!reactor)::sleep\s*\(|std::this_thread::sleep",
     r"tests/.*", "nothing sleeps on a shard"),
    (r"[^\w.>:](::)?(socket|accept4?|connect|bind|listen|sendmsg|recvmsg|epoll_\w+)\s*\(AF_|::(socket|accept4|epoll_ctl|epoll_wait|getaddrinfo)\s*\(",
     r"reactor/.*\.cpp|server/ctl/.*|server/app/service_notify\.cpp|tests/.*",
     "sockets belong to the reactor"),
    (r"std::(jthread|thread)\b(?!::hardware)",
     r"reactor/(real_world|blocking_pool|monitor/stall_watch)\.(cpp|h)|storage/.*|tests/.*", "threads belong to the World"),
    (r"\bthread_local\b", r"reactor/.*|tests/.*", "no thread_local outside the reactor"),
    (r"\[=\]|\[=,", r"", "capture by name"),
    (r"\bthrow\b", r"reactor/.*|tests/.*|server/config/loader\.cpp", "errors are values"),
    (r"\busing namespace std;", r"", "write std::"),
    (r"std::shared_ptr<(?!const |Arrival>)", r"reactor/signals\.cpp|tests/.*", "one owner; only immutable data is shared"),
    (r"\b(dynamic_cast|const_cast)<", r"reactor/((tcp|tls)_\w+\.cpp|net/descriptor_stream\.cpp|gathered_parts\.h)|tests/.*", "dispatch through a table; keep const"),
]

SQL = re.compile(r'"[^"]*\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b')
WORDS = re.compile(r"\b(FIXME|XXX|HACK|TODO)\b|\b(for now|not yet implemented|simplified version|placeholder)\b",
                   re.IGNORECASE)


def layer_of(path):
    best = ""
    for prefix in LAYERS:
        if (path == prefix or path.startswith(prefix + "/")) and len(prefix) > len(best):
            best = prefix
    return best


def may_include(path, included):
    own = layer_of(path)
    if own == "tests" and "/" not in included:
        return True  # A helper beside the test.
    if not own or included.startswith(own + "/") and layer_of(included) == own:
        return True
    if own == "server/modules" and included.startswith("server/modules/"):
        return True
    return any(included == allowed or included.startswith(allowed + "/")
               for allowed in LAYERS.get(own, []))


def blank_comments_and_strings(code, keep_strings=False):
    """The code with comments (and strings) replaced by spaces; line breaks stay."""

    def blank(match):
        text = match.group()
        if keep_strings and not text.startswith("/"):
            return text
        return re.sub(r"[^\n]", " ", text)

    pattern = (r'R"(\w*)\((?:.|\n)*?\)\1"|//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"'
               r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'")
    return re.sub(pattern, blank, code)


def function_lengths(code):
    """(line, length) of each function body: an outermost brace after a ')' or a specifier."""
    clean = blank_comments_and_strings(code)
    clean = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", lambda m: re.sub(r"[^\n]", " ", m.group()), clean,
                   flags=re.M)
    stack = []
    inside = 0
    line = 1
    last = ""
    found = []
    statement_start = 0
    for index, char in enumerate(clean):
        if char == "\n":
            line += 1
        elif char == "{":
            head = clean[statement_start:index]
            is_function = inside == 0 and bool(
                re.search(r"\)\s*(const|noexcept|override|final|mutable|&&?|\s|->[^;{}]*|:[^;{}]*)*$", head)
            ) and not re.match(r"\s*(namespace|class|struct|enum|union|extern)\b", head)
            stack.append((is_function, line))
            inside += is_function
            statement_start = index + 1
        elif char == "}":
            if stack:
                is_function, start = stack.pop()
                inside -= is_function
                if is_function:
                    found.append((start, line - start + 1))
            statement_start = index + 1
        elif char == ";":
            statement_start = index + 1
        last = char
    return found


def awaited_temporaries(code):
    """Lines of co_await statements that make a capturing lambda, an aggregate or an optional inside: g++
    12 destroys the members of such temporaries twice."""
    clean = blank_comments_and_strings(code)
    for match in re.finditer(r"\bco_await\b", clean):
        index, depth = match.end(), 0
        while index < len(clean):
            char = clean[index]
            if char in "([{":
                depth += 1
            elif char in ")]}":
                depth -= 1
                if depth < 0:
                    break
            elif char == ";" and depth == 0:
                break
            index += 1
        awaited = clean[match.end():index]
        capturing = re.search(r"(?<![\w\])])\[([^\]]+)\]\s*(\(|\{|mutable|->)", awaited)
        # References and `this` have nothing to destroy.
        trivial = capturing and all(re.fullmatch(r"this|&\w*", part.strip())
                                    for part in capturing.group(1).split(","))
        is_lambda = capturing or "[]" in awaited
        aggregate = re.search(r"[\w>]\s*\{\s*[^\s}]|[(,]\s*\{\s*[^\s}]", awaited) and not is_lambda
        before = clean[:match.start()].rstrip()
        if before.endswith("?") or before.endswith(":") and not re.search(
                r"(case [^;{}]*|default|[\w)]\s):$", before[-80:]) and "?" in before[-200:].split(";")[-1]:
            yield clean.count("\n", 0, match.start()) + 1
        if (capturing and not trivial) or aggregate or "std::optional<" in awaited:
            yield clean.count("\n", 0, match.start()) + 1


def check_file(path, code, has_header=False):
    """All breaches of one file as (line, sentence). `has_header`: a .cpp with a .h of its name."""
    lines = code.split("\n")
    if len(lines) - 1 > LINES_MAX:
        yield 1, f"{len(lines) - 1} lines; at most {LINES_MAX}: split it by concern"
    is_code = path.endswith((".h", ".cpp"))
    for number, text in enumerate(lines, 1):
        if is_code and len(text) > COLUMNS_MAX:
            yield number, f"{len(text)} columns; at most {COLUMNS_MAX}"
        if not path.startswith("tests/") and WORDS.search(text):
            yield number, f"'{WORDS.search(text).group()}' admits something unfinished"
    if not is_code:
        return
    if not lines[0].startswith("//") and not path.startswith("tests/") and not has_header:
        yield 1, "a file opens with what it is (or its header does)"
    includes = [(number, re.match(r'#include ["<](.+)[">]', text))
                for number, text in enumerate(lines, 1)]
    ours = [(number, match.group(1)) for number, match in includes
            if match and re.match(r"#include \"", lines[number - 1])]
    for number, included in ours:
        if not may_include(path, included):
            yield number, f"{layer_of(path)} may not include {included} (layers, DESIGN.md section 3)"
    for number, match in includes:
        if not match:
            continue
        for library, allowed in LIBRARIES.items():
            if re.match(library, match.group(1)) and not re.fullmatch(allowed, path):
                yield number, f"{match.group(1)} may be included by {allowed} only"
        if path.endswith(".h") and match.group(1) in HEADER_BANS:
            yield number, f"<{match.group(1)}> is too heavy for a header"
    if path.endswith(".h") and "#pragma once" not in code:
        yield 1, "a header says #pragma once"
    clean = blank_comments_and_strings(code)
    for pattern, allowed, why in CALLS:
        if allowed and re.fullmatch(allowed, path):
            continue
        for match in re.finditer(pattern, clean):
            yield clean.count("\n", 0, match.start()) + 1, f"'{match.group().strip()}': {why}"
    if path.startswith(("server/", "xmpp/", "reactor/")):
        with_strings = blank_comments_and_strings(code, keep_strings=True)
        for match in SQL.finditer(with_strings):
            yield with_strings.count("\n", 0, match.start()) + 1, "SQL lives in storage/ only"
    for number, length in function_lengths(code):
        if length > FUNCTION_LINES_MAX and not path.startswith("tests/"):
            yield number, f"a function of {length} lines; at most {FUNCTION_LINES_MAX}"
    for number in awaited_temporaries(code):
        yield number, ("await in a statement of its own: g++ 12 destroys twice what a lambda, aggregate, "
                       "optional or conditional around or inside co_await holds")


def own_header_comes_first(root, path, code):
    header = path[:-4] + ".h"
    if not path.endswith(".cpp") or not (root / header).exists() or path.startswith("tests/"):
        return None
    first = re.search(r'#include ["<](.+)[">]', code)
    if first and first.group(1) != header:
        return f"includes its own header, {header}, first: that proves it self-contained"
    return None


def unlisted_sources(root, files):
    """Sources that no CMake file names are never compiled."""
    lists = "\n".join((root / name).read_text(encoding="utf-8") for name in files
                      if name.endswith(("CMakeLists.txt", ".cmake")))
    for name in files:
        if name.endswith(".cpp") and not re.search(
                r"(?<![\w.-])(?:[\w/${}.-]*/)?" + re.escape(pathlib.PurePath(name).name), lists):
            yield name


def check_tree(root):
    listing = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
                             capture_output=True, text=True, check=True).stdout.split("\n")
    files = [name for name in listing if name and (root / name).is_file()]
    breaches = []
    for path in files:
        if not path.endswith((".h", ".cpp", ".py", ".cmake", "CMakeLists.txt")):
            continue
        code = (root / path).read_text(encoding="utf-8")
        breaches += [f"{path}:{line}: {text}" for line, text in check_file(
            path, code, path.endswith(".cpp") and (root / (path[:-4] + ".h")).exists())]
        order = own_header_comes_first(root, path, code)
        if order:
            breaches.append(f"{path}:1: {order}")
    breaches += [f"{path}:1: no CMake file lists it" for path in unlisted_sources(root, files)]
    return len(files), breaches


SELF_TEST = [
    ("reactor/a.cpp", '// A.\n#include "xmpp/core/jid.h"\n', "may not include"),
    ("xmpp/a.cpp", '// A.\n#include "reactor/deferred.h"\n', "may not include"),
    ("server/accounts/a.cpp", '// A.\n#include "server/routing/router.h"\n', "may not include"),
    ("server/routing/a.cpp", '// A.\n#include <boost/json.hpp>\n', "may be included by"),
    ("storage/a.h", "// A.\n#pragma once\n#include <regex>\n", "too heavy"),
    ("xmpp/a.h", "// A.\nint a();\n", "#pragma once"),
    ("xmpp/a.cpp", "int a();\n", "opens with"),
    ("server/a.cpp", "// A.\nauto t = std::chrono::steady_clock::now();\n", "Clock"),
    ("server/a.cpp", "// A.\nint t = rand();\n", "Entropy"),
    ("server/a.cpp", "// A.\nvoid f() { std::this_thread::sleep_for(d); }\n", "sleeps"),
    ("server/a.cpp", "// A.\nint s = ::socket(AF_INET, 0, 0);\n", "sockets"),
    ("server/a.cpp", "// A.\nstd::thread t;\n", "threads"),
    ("xmpp/a.cpp", "// A.\nthread_local int x;\n", "thread_local"),
    ("server/a.cpp", "// A.\nauto f = [=] { return x; };\n", "capture"),
    ("server/a.cpp", "// A.\nvoid f() { throw 1; }\n", "values"),
    ("server/a.cpp", "// A.\nstd::shared_ptr<int> p;\n", "owner"),
    ("server/a.cpp", '// A.\nauto q = "SELECT a FROM b";\n', "SQL"),
    ("server/a.cpp", "// A. FIXME\n", "unfinished"),
    ("server/a.cpp", "// A.\n" + "x" * 101 + "\n", "columns"),
    ("server/a.cpp", "// A.\n" + "int a;\n" * 600, "lines; at most"),
    ("server/a.cpp", "// A.\nvoid f() {\n" + "    g();\n" * 70 + "}\n", "a function of"),
    ("server/a.cpp", "// A.\nauto r = co_await db.read([jid](T& t) { return f(t, jid); });\n",
     "co_await"),
    ("server/a.cpp", "// A.\nauto r = co_await go(Parts{a, b});\n", "co_await"),
    ("server/a.cpp", "// A.\nauto r = ready ? co_await go(a) : Result(b);\n", "co_await"),
]
CLEAN = [
    ("server/routing/a.cpp", '// A.\n#include "server/accounts/account.h"\n#include <string>\n'),
    ("server/a.cpp", "// A. steady_clock and throw may be talked about.\nint timer(int time);\n"),
    ("server/a.cpp", "// A.\nauto p = db.read([jid](T& t) { return f(t, jid); });\n"
                     "auto r = co_await std::move(p);\n"),
    ("server/a.cpp", "// A.\nauto r = co_await when([this] { go(); });\n"),
]


def self_test():
    failures = 0
    for path, code, expected in SELF_TEST:
        found = [text for _, text in check_file(path, code)]
        if not any(expected in text for text in found):
            print(f"not found in {path}: {expected!r}; got {found}\n{code[:200]}")
            failures += 1
    for path, code in CLEAN:
        found = list(check_file(path, code))
        if found:
            print(f"clean code was blamed: {found}\n{code}")
            failures += 1
    print(f"{len(SELF_TEST) + len(CLEAN) - failures} passed, {failures} failed")
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    count, breaches = check_tree(pathlib.Path(sys.argv[1]))
    print("\n".join(breaches))
    print(f"{count} files, {len(breaches)} breaches")
    return 1 if breaches or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
