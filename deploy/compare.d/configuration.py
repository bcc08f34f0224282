"""The servers' configurations: templates with @NAME@ in them, and the modules that stand for parleyd's
features. Pure but for reading the files beside this one."""

import pathlib
import re
import tomllib

FOLDER = pathlib.Path(__file__).parent
# Set by features.toml alone: what is not a module of Prosody or ejabberd is not in there.
PEERS = ("prosody", "ejabberd")


def read_features():
    with open(FOLDER / "features.toml", "rb") as file:
        return tomllib.load(file)["feature"]


def specifications(list_xeps):
    """The first column of the table that `parleyd --list-xeps` prints."""
    return {line.split("|")[1].strip() for line in list_xeps.splitlines()
            if line.startswith("|") and not line.startswith(("|---", "| Specification"))}


def features_on(features, present):
    """Those of `features` whose specification is in the set `present`; all of them if it is None."""
    return [feature for feature in features
            if present is None or feature["specification"] in present]


def prosody_modules(features):
    names = [name for feature in features for name in feature.get("prosody", [])]
    return "\n".join(f'\t"{name}";' for name in names)


def ejabberd_modules(features):
    return "\n".join(f"  {name}: {options}" for feature in features
                     for name, options in feature.get("ejabberd", {}).items())


def prosody_components(features, domain):
    """A feature that is a service of its own, with what is loaded into it."""
    return "\n".join(f'Component "{name}.{domain}" "{service["module"]}"\n\tmodules_enabled = {{ '
                     + " ".join(f'"{extra}";' for extra in service["with"]) + " }"
                     for feature in features
                     for name, service in feature.get("prosody_components", {}).items())


def render(template, values):
    """Replaces each @NAME@; a name without a value, or a value without its name, is a mistake."""
    unused = set(values)

    def value_of(match):
        unused.discard(match.group(1))
        return str(values[match.group(1)])

    text = re.sub(r"@([A-Z_]+)@", value_of, template)
    if unused:
        raise KeyError(f"the template does not use {', '.join(sorted(unused))}")
    return text


def template(name):
    return (FOLDER / "templates" / name).read_text()
