"""The callers of the test must not end themselves: what would then be tested is a refusal, again and again."""

import os

import schemathesis

OWN = set(os.environ["SYMBOLON_OWN_IDS"].split(","))
UNKNOWN = "00000000000fffff"


@schemathesis.hook
def before_call(context, case, kwargs):
    """A change of the caller's own token, user or organization becomes one of an id that does not exist."""
    if case.method.upper() in ("GET", "HEAD", "OPTIONS"):
        return
    for name, value in (case.path_parameters or {}).items():
        if str(value).lower() in OWN:
            case.path_parameters[name] = UNKNOWN
