"""Measures the sources: files, functions, circles of references, documentation.

Usage: architecture.py SOURCES
Prints a table of the targets and what exceeds its bound. Ends with 1 where something does.

A file refers to another where it names a type that the other declares at its top level, and a circle is a set of files of which each
leads to every other. Comments and texts are left out.
"""
import collections, pathlib, re, statistics, sys

root = pathlib.Path(sys.argv[1])
LONGEST_FILE, LONGEST_FUNCTION, MOST_PARAMETERS, LARGEST_CIRCLE = 300, 45, 8, 5
LEAST_DOCUMENTED = {"public": 1.0, "package": 0.9}

TYPE = re.compile(r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private|final|indirect|nonisolated)\s+)*"
                  r"(?:struct|class|enum|protocol|actor|typealias)\s+(\w+)", re.M)
FUNCTION = re.compile(r"\b(?:func\s+[^\s(<]+|init[?!]?)\s*(?:<[^>{]*>)?\s*\(")
DECLARATION = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(public|package)\s+(?!import\b|extension\b)(?!\w+\(set\))[\w\s]*?"
                         r"\b(?:struct|class|enum|protocol|actor|typealias|func|init|var|let|subscript|case)\b")


def blank(text):
    """The same text with comments and string literals as blanks, line by line; what is interpolated goes, too."""
    out, i, n = [], 0, len(text)

    def skip(to):
        nonlocal i
        out.append(re.sub(r"[^\n]", " ", text[i:to]))
        i = to

    while i < n:
        if text.startswith("//", i):
            end = text.find("\n", i)
            skip(n if end < 0 else end)
        elif text.startswith("/*", i):
            end = text.find("*/", i)
            skip(n if end < 0 else end + 2)
        elif literal := re.compile(r'(#*)("""|")').match(text, i):
            hashes, quote = literal.groups()
            skip(string_end(text, literal.end(), quote, hashes))
        elif text[i] == "#" and (regex := re.compile(r"#/.*?/#", re.S).match(text, i)):
            skip(regex.end())
        else:
            out.append(text[i])
            i += 1
    return "".join(out)


def string_end(text, i, quote, hashes):
    close, escape = quote + hashes, "\\" + hashes
    while i < len(text):
        if text.startswith(close, i):
            return i + len(close)
        if text.startswith(escape + "(", i):
            i = interpolation_end(text, i + len(escape) + 1)
        elif text.startswith(escape, i):
            i += len(escape) + 1
        else:
            i += 1
    return i


def interpolation_end(text, i):
    depth = 1
    while i < len(text) and depth:
        if literal := re.compile(r'(#*)("""|")').match(text, i):
            i = string_end(text, literal.end(), literal.group(2), literal.group(1))
            continue
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        i += 1
    return i


def closing(code, start, opens, closes):
    depth = 0
    for i in range(start, len(code)):
        depth += (code[i] == opens) - (code[i] == closes)
        if depth == 0:
            return i
    return len(code)


def functions(code):
    """Of each function with a body: its first line, its lines, its parameters, and whether it only stores them."""
    for match in FUNCTION.finditer(code):
        end = closing(code, match.end() - 1, "(", ")")
        parameters = code[match.end():end]
        body = re.compile(r"[^{}\n]*(?:\n[ \t]*[^{}\n]*){0,3}?\{").match(code, end + 1)
        count = split(parameters)
        if not body:
            continue
        last = closing(code, body.end() - 1, "{", "}")
        inside = code[body.end():last]
        stores = code[match.start():].startswith("init") and all(
            re.fullmatch(r"self\.\w+ = \w+", line.strip()) for line in inside.splitlines() if line.strip())
        first = code.count("\n", 0, match.start()) + 1
        yield first, code.count("\n", match.start(), last) + 1, count, stores


def split(parameters):
    depth, count = 0, 1 if parameters.strip() else 0
    for character in parameters:
        depth += (character in "([{<") - (character in ")]}>")
        count += character == "," and depth == 0
    return count


def circles(graph):
    """The strongly connected components of more than one node, the largest first (Tarjan)."""
    index, low, stack, on, found = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on.add(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = []
            while True:
                member = stack.pop()
                on.discard(member)
                component.append(member)
                if member == node:
                    break
            if len(component) > 1:
                found.append(component)

    for node in graph:
        if node not in index:
            visit(node)
    return sorted(found, key=len, reverse=True)


def documented(text):
    """Of the public and the package declarations: how many there are, and how many have a comment."""
    lines, counts = text.splitlines(), collections.Counter()
    code = blank(text).splitlines()
    for number, line in enumerate(code):
        match = DECLARATION.match(line)
        if not match:
            continue
        counts[match.group(1)] += 1
        above = number - 1
        while above >= 0 and lines[above].strip().startswith("@"):
            above -= 1
        counts[match.group(1) + " documented"] += above >= 0 and lines[above].strip().startswith("///")
    return counts


class Target:
    def __init__(self, folder):
        self.name = str(folder.relative_to(root))
        self.files = sorted(folder.rglob("*.swift"))
        texts = {file: file.read_text() for file in self.files}
        code = {file: blank(text) for file, text in texts.items()}
        self.lines = {file: text.count("\n") for file, text in texts.items()}
        self.functions = [(file, *function) for file in self.files for function in functions(code[file])]
        self.documented = sum((documented(text) for text in texts.values()), collections.Counter())
        homes = {name: file for file in self.files for name in TYPE.findall(code[file])}
        words = {file: set(re.findall(r"\b[A-Z]\w*\b", code[file])) for file in self.files}
        self.graph = {file: {homes[word] for word in words[file] if word in homes} - {file} for file in self.files}
        self.folders = collections.defaultdict(set)
        for file, others in self.graph.items():
            self.folders[file.parent] |= {other.parent for other in others} - {file.parent}
        for folder in set().union(*self.folders.values()) if self.folders else set():
            self.folders[folder] |= set()


def short(file):
    return str(file.relative_to(root))


def spread(values):
    """Median, 90th percentile and largest."""
    ordered = sorted(values)
    return f"{statistics.median(ordered):.0f} / {ordered[int(len(ordered) * 0.9) - (len(ordered) > 9)]} / {ordered[-1]}" if ordered else "-"


targets = [Target(folder) for top in ("Engine", "Providers") for folder in sorted((root / top).iterdir()) if any(folder.rglob("*.swift"))]
trouble = []
print(f"{'target':<26}{'files':>6}  {'lines a file':<16}{'lines a function':<18}{'circle':>7}{'folders':>9}{'public':>8}{'package':>9}")
total = collections.Counter()
for target in targets:
    found, between = circles(target.graph), circles(target.folders)
    circle = len(found[0]) if found else 1
    share = lambda kind: f"{target.documented[kind + ' documented'] * 100 // target.documented[kind]} %" if target.documented[kind] else "-"
    print(f"{target.name:<26}{len(target.files):>6}  {spread(target.lines.values()):<16}{spread([f[2] for f in target.functions]):<18}"
          f"{circle:>7}{len(between[0]) if between else 0:>9}{share('public'):>8}{share('package'):>9}")
    total += target.documented
    trouble += [f"{short(file)}: {lines} lines" for file, lines in target.lines.items() if lines > LONGEST_FILE]
    for file, first, lines, parameters, stores in target.functions:
        if lines > LONGEST_FUNCTION:
            trouble.append(f"{short(file)}:{first}: a function of {lines} lines")
        if parameters > MOST_PARAMETERS and not stores:
            trouble.append(f"{short(file)}:{first}: {parameters} parameters")
    trouble += [f"{target.name}: a circle of {len(c)} files: {', '.join(sorted(file.stem for file in c))}" for c in found if len(c) > LARGEST_CIRCLE]
    trouble += [f"{target.name}: a circle of folders: {', '.join(sorted(folder.name for folder in c))}" for c in between]
for kind, least in LEAST_DOCUMENTED.items():
    share = total[kind + " documented"] / total[kind]
    print(f"{kind} declarations: {total[kind]}, documented {share:.1%}")
    if share < least:
        trouble.append(f"{share:.1%} of the {kind} declarations are documented, and {least:.0%} are asked for")
print("\n".join(trouble))
sys.exit(1 if trouble else 0)
