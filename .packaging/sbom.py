"""Writes what a build is made of: a bill of materials (CycloneDX 1.6), and the licences of third parties.

Usage: sbom.py Package.resolved Package.swift CHECKOUTS VERSION SBOM NOTICES
CHECKOUTS: where the packages' sources lie. Ends with 1 where one of them bears no licence, or has no version written in the manifest.
"""
import json, re, subprocess, sys, uuid
from pathlib import Path

resolved, manifest, checkouts, version, sbom, notices = sys.argv[1:7]
pins = sorted(json.loads(Path(resolved).read_text())["pins"], key=lambda pin: pin["identity"])


def licence(folder):
    for name in ["LICENSE.txt", "LICENSE", "LICENSE.md"]:
        if (folder / name).exists():
            return (folder / name).read_text()
    raise SystemExit(f"{folder.name} bears no licence: look what it may be used for")


def identifier(text):
    if re.search(r"Apache License\s+Version 2\.0", text):
        return "Apache-2.0"
    if "Permission is hereby granted, free of charge" in text:
        return "MIT"
    if "Redistribution and use in source and binary forms" in text:
        return "BSD-3-Clause"
    raise SystemExit("a licence of a kind that is not known here: look at it, and name it")


written = dict(re.findall(r'\.package\(url: "([^"]+)", exact: "([^"]+)"\)', Path(manifest).read_text()))
for pin in pins:
    if written.get(pin["location"].removesuffix(".git")) != pin["state"].get("version"):
        raise SystemExit(f"{pin['identity']} {pin['state'].get('version')} is built, and {manifest} does not ask for just that version: write it there")

components, texts = [], []
for pin in pins:
    place = re.sub(r"^https://|\.git$", "", pin["location"])
    folder = Path(checkouts) / Path(place).name
    text = licence(folder)
    number = pin["state"].get("version") or pin["state"]["revision"]
    components.append({
        "type": "library", "bom-ref": f"pkg:swift/{place}@{number}", "name": Path(place).name, "version": number, "purl": f"pkg:swift/{place}@{number}",
        "licenses": [{"license": {"id": identifier(text)}}], "externalReferences": [{"type": "vcs", "url": pin["location"]}],
        "properties": [{"name": "revision", "value": pin["state"]["revision"]}],
    })
    notice = folder / "NOTICE.txt"
    texts.append(f"{'=' * 78}\n{Path(place).name} {number}, https://{place}\n{'=' * 78}\n\n{text}\n" + (notice.read_text() if notice.exists() else ""))
# What is linked in without being a package of its own: the toolchain's libraries, and copies inside of packages.
swift = re.search(r"Swift version (\S+)", subprocess.run(["swift", "--version"], check=True, capture_output=True, text=True).stdout).group(1)
for name, number, kind in [("swift-runtime", swift, "Apache-2.0 WITH Swift-exception"), ("swift-foundation", swift, "Apache-2.0 WITH Swift-exception"),
                           ("swift-corelibs-libdispatch", swift, "Apache-2.0 WITH Swift-exception"), ("swift-foundation-icu", swift, "Unicode-3.0"),
                           ("zlib", "of the toolchain", "Zlib"), ("libyaml", "of Yams", "MIT"), ("BoringSSL", "of swift-nio-ssl and swift-crypto", "OpenSSL AND ISC")]:
    components.append({"type": "library", "bom-ref": f"embedded:{name}", "name": name, "version": number, "licenses": [{"expression": kind}]})
    texts.append(f"{'=' * 78}\n{name} ({number}): {kind}\n{'=' * 78}\n")
for name in ["libsqlite3-0", "libcurl4", "libpq5", "libical3"]:
    components.append({"type": "library", "bom-ref": f"pkg:deb/debian/{name}", "name": name, "purl": f"pkg:deb/debian/{name}", "scope": "required"})
whole = {
    "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
    "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(pins, sort_keys=True))}",
    "metadata": {"component": {"type": "application", "bom-ref": "usher", "name": "usher", "version": version, "licenses": [{"license": {"id": "Apache-2.0"}}]}},
    "components": components,
    "dependencies": [{"ref": "usher", "dependsOn": [one["bom-ref"] for one in components]}],
}
Path(sbom).write_text(json.dumps(whole, indent=1) + "\n")
Path(notices).write_text("Usher is linked with the following, each under its own licence.\n\n" + "\n".join(texts))
