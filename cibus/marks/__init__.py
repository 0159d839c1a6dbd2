"""Which step each line of a console belongs to, as JSON lines beside the log.

A file ``log.steps`` has one object per line, in the order of the log. Lines of the log are counted from 0.

===================================================  ==========================================================
``{"steps": 1}``                                     the first line: the version of this format
``{"step": "5", "in": "3.1", "name": "sh",           a step began, inside that body, with the ``[Pipeline]`` line
"at": 7, "stage": "Unit", "branch": "x",             ``at``; the enclosing stage and parallel branch; its line in
"line": 12, "text": "make test"}``                   the script and its arguments, where they are known
``{"body": "5.1", "of": "5", "title": "Unit",        a body of a step began: ``[Pipeline] {`` or ``[Pipeline] {
"at": 8}``                                           (title)``; each branch of a ``parallel`` is a body of it
``{"end": "5", "at": 9, "error": "…"}``              a body or a step ended; ``at`` is its line, or null where none
                                                     is printed; left out for a step without a body that went well
``{"of": "5", "from": 10, "count": 3}``              these lines belong to that step or body
===================================================  ==========================================================

Lines that no record names belong to no step: what a build prints before its first step and after its last.
"""

from cibus.marks.model import Ended, Entered, Lines, Mark, Opened
from cibus.marks.store import MarkWriter, read_marks

__all__ = ["Ended", "Entered", "Lines", "Mark", "MarkWriter", "Opened", "read_marks"]
