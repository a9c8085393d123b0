"""Hooks of schemathesis: nearly all made up names are nobody's, so most addresses get the names of what there is."""

import schemathesis

NAMES = {"base": ["b"], "trace": ["t", "c", "t"], "item": ["m", "f", "d"], "obsel": ["o"]}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    # Chosen by what was made up, so that runs can be repeated.
    for name, known in NAMES.items():
        made_up = str((path_parameters or {}).get(name, ""))
        if made_up and len(made_up) % 8 != 7:
            path_parameters[name] = known[len(made_up) % len(known)]
    return path_parameters
