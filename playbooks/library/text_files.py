#!/usr/bin/python
"""Folders, small text files, and what has to go, all at once."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: text_files
short_description: Makes folders and writes small text files, all in one go
description:
  - Does for several what M(ansible.builtin.file) and M(ansible.builtin.copy) do for one, over the network once.
  - A link in the place of a file is replaced by the file.
options:
  folders:
    description: The folders, with path, mode, owner and group.
    type: list
    elements: dict
    default: []
  files:
    description: The files, with path, content, mode, owner, group, validate (a command with %s) and wanted (false leaves it out).
    type: list
    elements: dict
    default: []
  absent:
    description: Files, links and whole folders that have to go, before the others are made.
    type: list
    elements: path
    default: []
author: [cibus]
"""

EXAMPLES = r"""
- name: Write two files
  text_files:
    files:
      - {path: /etc/motd, content: "Hello\n"}
      - {path: /etc/sudoers.d/x, content: "…\n", mode: "0440", validate: visudo -cf %s}
"""

RIGHTS = {
    "path": {"type": "path", "required": True},
    "mode": {"type": "str"},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}
FILE = {
    **RIGHTS,
    "mode": {"type": "str", "default": "0644"},
    "content": {"type": "str", "required": True},
    "validate": {"type": "str"},
    "wanted": {"type": "bool", "default": True},
}


def _before(path):
    """What is there now; None where there is no plain file."""
    if path.is_symlink() or not path.is_file():
        return None
    return path.read_text("utf-8", "surrogateescape")


def _written(module, wanted):
    """Writes one file beside its place, has it checked, and moves it there."""
    handle, part = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(wanted["content"])
    if wanted["validate"]:
        code, out, err = module.run_command(wanted["validate"].replace("%s", part))
        if code:
            module.fail_json(msg=f"{wanted['path']} is not written: {wanted['validate']} says {(err or out).strip()}")
    if Path(wanted["path"]).is_symlink():
        Path(wanted["path"]).unlink()
    module.atomic_move(part, wanted["path"])


def _file(module, wanted):
    """Makes one file as it is wanted; says whether that changed anything, and the difference."""
    before = _before(Path(wanted["path"]))
    changed = before != wanted["content"]
    if changed and not module.check_mode:
        _written(module, wanted)
    name = wanted["path"]
    return _rights(module, wanted, changed), {"before_header": name, "after_header": name, "before": before or "", "after": wanted["content"]}


def _folder(module, wanted):
    """Makes one folder as it is wanted; says whether that changed anything."""
    changed = not Path(wanted["path"]).is_dir()
    if changed and not module.check_mode:
        Path(wanted["path"]).mkdir(parents=True)
    return _rights(module, wanted, changed)


def _rights(module, wanted, changed):
    """Gives it owner, group and mode; what a check would only have made, or whom it would have added, is not there yet."""
    if module.check_mode and (changed or not _known(wanted["owner"])):
        return True
    rights = module.load_file_common_arguments({name: wanted[name] for name in ("path", "mode", "owner", "group")})
    return module.set_fs_attributes_if_different(rights, changed)


def _gone(module, path):
    """Removes a file, a link or a whole folder; says whether there was one."""
    if not (path.exists() or path.is_symlink()):
        return False
    if not module.check_mode:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return True


def _known(user):
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def main():
    """The module."""
    options = {name: {"type": "list", "elements": "dict", "default": [], "options": each} for name, each in (("folders", RIGHTS), ("files", FILE))}
    options["absent"] = {"type": "list", "elements": "path", "default": []}
    module = AnsibleModule(options, supports_check_mode=True)
    changed = [each for each in module.params["absent"] if _gone(module, Path(each))]
    changed += [each["path"] for each in module.params["folders"] if _folder(module, each)]
    differences = []
    for wanted in module.params["files"]:
        if not wanted["wanted"]:
            continue
        is_changed, difference = _file(module, wanted)
        if is_changed:
            changed.append(wanted["path"])
            differences.append(difference)
    module.exit_json(changed=bool(changed), paths=changed, diff=differences)


if __name__ == "__main__":
    main()
