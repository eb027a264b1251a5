"""Makes a Debian package and a tarball of one program.

Usage: package.py PROGRAM MANUALS SBOM NOTICES FOLDER
PROGRAM: `usher`, as it was built for use. MANUALS: a folder of man pages. SBOM, NOTICES: files that are put beside the licence.
FOLDER takes usher_VERSION_ARCHITECTURE.deb and usher-VERSION-ARCHITECTURE.tar.xz. SOURCE_DATE_EPOCH dates all that is in them.
"""
import gzip, hashlib, os, re, shutil, subprocess, sys, time
from email.utils import formatdate
from pathlib import Path

program, manuals, sbom, notices, out = map(Path, sys.argv[1:6])
here = Path(__file__).parent
epoch = int(os.environ["SOURCE_DATE_EPOCH"])
maintainer = os.environ.get("MAINTAINER", "The Usher project <project@usher.example>")


def run(*arguments, **more):
    return subprocess.run([str(one) for one in arguments], check=True, text=True, stdout=subprocess.PIPE, **more).stdout


def put(path, content, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)


def packed(content):
    return gzip.compress(content if isinstance(content, bytes) else content.encode(), 9, mtime=0)


version = run(program, "--version").strip()
architecture = run("dpkg", "--print-architecture").strip()
out.mkdir(parents=True, exist_ok=True)
tree = out / "tree"
shutil.rmtree(tree, ignore_errors=True)

# What both hold.
binary = tree / "usr/bin/usher"
binary.parent.mkdir(parents=True)
run("strip", "--strip-unneeded", "--remove-section=.comment", "-o", binary, program)
binary.chmod(0o755)
for shell, place in [("bash", "bash-completion/completions/usher"), ("zsh", "zsh/vendor-completions/_usher"),
                     ("fish", "fish/vendor_completions.d/usher.fish")]:
    # A completion is read by a shell, not run.
    script = re.sub(r"\A#!.*\n", "", run(program, "--generate-completion-script", shell))
    put(tree / "usr/share" / place, script)
for page in sorted(manuals.glob("*.1")):
    # whatis reads names as they stand, without blanks.
    text = re.sub(r'^\.Nm "(.*)"$', lambda name: ".Nm " + name[1].replace(" ", "."), page.read_text(), flags=re.M)
    text = re.sub(r'^\.Nd "(.*)"$', r".Nd \1", text, flags=re.M)
    put(tree / "usr/share/man/man1" / (page.name + ".gz"), packed(text))
documents = tree / "usr/share/doc/usher"
put(documents / "copyright", "License: Apache-2.0, of which /usr/share/common-licenses/Apache-2.0 is the text.\n"
    "Copyright 2026 the contributors to Usher\n\nWhat is linked in, and under which licences, stands in third-party-notices.gz and sbom.cdx.json.gz.\n")
put(documents / "third-party-notices.gz", packed(notices.read_bytes()))
put(documents / "sbom.cdx.json.gz", packed(sbom.read_bytes()))
put(documents / "CHANGELOG.md.gz", packed((here / "../.github/CHANGELOG.md").read_bytes()))
put(documents / "changelog.gz", packed(
    f"usher ({version}) unstable; urgency=medium\n\n  * CHANGELOG.md tells what has changed.\n\n -- {maintainer}  {formatdate(epoch)}\n"))
for name in ["alerts.yaml", "grafana.json"]:
    put(documents / name, (here / "watching" / name).read_bytes())
put(tree / "lib/systemd/system/usher.service", (here / "usher.service").read_bytes())
put(tree / "etc/usher/usher.env", (here / "usher.env").read_bytes())
put(tree / "etc/usher/meeting-types.yaml", (here / "meeting-types.yaml").read_bytes())
put(tree / "usr/share/lintian/overrides/usher", (here / "debian/lintian-overrides").read_bytes())

# The libraries that it needs, with the versions whose symbols it uses.
scratch = out / "shlibdeps"
put(scratch / "debian/control", "Source: usher\n\nPackage: usher\nArchitecture: any\n")
depends = run("dpkg-shlibdeps", "-O", binary.resolve(), cwd=scratch, stderr=subprocess.DEVNULL).strip().removeprefix("shlibs:Depends=")
shutil.rmtree(scratch)

size = sum(one.stat().st_size for one in tree.rglob("*") if one.is_file()) // 1024
control = tree / "DEBIAN"
put(control / "control", f"""Package: usher
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: {depends}, adduser, ca-certificates, tzdata
Recommends: default-mta | mail-transport-agent
Section: net
Priority: optional
Description: scheduling engine that makes meeting rooms, once
 A booking is confirmed; Usher makes the room at the right video provider
 (Zoom, Google Meet, Microsoft Teams, Jitsi, MiroTalk, links of your own) and
 tells everyone how to get in: join URL, passcode, dial-in, each in their own
 time zone and language. Once, exactly once, whatever fails.
""")
put(control / "conffiles", "/etc/usher/usher.env\n/etc/usher/meeting-types.yaml\n")
for script in ["postinst", "prerm", "postrm"]:
    put(control / script, (here / "debian" / script).read_bytes(), 0o755)
sums = "".join(
    f"{hashlib.md5(one.read_bytes()).hexdigest()}  {one.relative_to(tree)}\n"
    for one in sorted(tree.rglob("*")) if one.is_file() and control not in one.parents and not str(one.relative_to(tree)).startswith("etc/"))
put(control / "md5sums", sums)
for one in tree.rglob("*"):
    if one.is_dir():
        one.chmod(0o755)
package = out / f"usher_{version}_{architecture}.deb"
run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, package)

shutil.rmtree(control)
shutil.rmtree(tree / "usr/share/lintian")
put(tree / "LICENSE", (here / "../LICENSE").read_bytes())
put(tree / "README.md", (here / "../README.md").read_bytes())
name = f"usher-{version}-{architecture}"
archive = out / f"{name}.tar.xz"
run("tar", "--sort=name", f"--mtime=@{epoch}", "--owner=0", "--group=0", "--numeric-owner", "--transform", f"s,^\\.,{name},",
    "-C", tree, "-cJf", archive, ".")
shutil.rmtree(tree)
print(package, archive, sep="\n")
