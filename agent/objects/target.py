"""What a question is about: an Application, one of its resources, a bare Kubernetes resource, or nothing.

Owns the references and their text form.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from agent.objects.manifest import Manifest, object_at, text_at

# What a path of the Kubernetes or Argo CD API cannot carry as one step; the rest is left to the API, as some kinds
# (RBAC) allow colons and upper case.
_NOT_IN_A_NAME = re.compile(r"[\s/\\?#%\x00-\x1f\x7f]")


def _name(value: str) -> str:
    if _NOT_IN_A_NAME.search(value) or value in {".", ".."}:
        raise ValueError("must be one name, without blanks, control characters and any of / \\ ? # %")
    return value


# The longest name that the Kubernetes API accepts is a DNS subdomain of 253 characters:
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
type Name = Annotated[str, StringConstraints(min_length=1, max_length=253), AfterValidator(_name)]
type OptionalName = Annotated[str, StringConstraints(max_length=253), AfterValidator(_name)]


class ApplicationRef(BaseModel):
    """An Argo CD Application. `namespace` and `project` are "" where unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    namespace: OptionalName = ""
    project: OptionalName = ""

    def __str__(self) -> str:
        return f"Application {self.namespace}/{self.name}" if self.namespace else f"Application {self.name}"


class ResourceRef(BaseModel):
    """A Kubernetes object. `group` is "" for the core group, `namespace` is "" for a cluster-scoped object,
    `version` and `uid` are "" where unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: OptionalName = ""
    version: OptionalName = ""
    kind: Name
    namespace: OptionalName = ""
    name: Name
    uid: Annotated[str, StringConstraints(max_length=128)] = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def api_version(self) -> str:
        """`group/version` as manifests spell it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @staticmethod
    def of(manifest: Manifest) -> "ResourceRef | None":
        """The reference of a manifest, None where it has no usable kind or name (never raises)."""
        at, inside = manifest.get, object_at(manifest, "metadata").get
        values = (at("apiVersion"), at("kind"), inside("name"), inside("namespace"), inside("uid"))
        try:
            return _references[values]
        except TypeError:  # one of them is an object or a list
            return _reference(values)

    @staticmethod
    def unchecked(
        *, group: str = "", version: str = "", kind: str, namespace: str = "", name: str, uid: str = ""
    ) -> "ResourceRef":
        """A reference without validation, for values of an API or a caller's file: they may be odd, and serve for
        naming only. It is `model_construct` without its loop over the fields, which is most of what it costs to look
        at a small object."""
        reference = _new(ResourceRef)
        _set_dict(
            reference,
            {"group": group, "version": version, "kind": kind, "namespace": namespace, "name": name, "uid": uid},
        )
        _set_fields(reference, _FIELDS)
        _set_extra(reference, None)
        _set_private(reference, None)
        return reference


_FIELDS = set(ResourceRef.model_fields)
# The slots that a pydantic model is made of (BaseModel.model_construct sets the same); its own `__setattr__` is closed.
_SLOTS: Mapping[str, Any] = vars(BaseModel)
_new = ResourceRef.__new__
_set_dict = _SLOTS["__dict__"].__set__
_set_fields = _SLOTS["__pydantic_fields_set__"].__set__
_set_extra = _SLOTS["__pydantic_extra__"].__set__
_set_private = _SLOTS["__pydantic_private__"].__set__


def reference_of(entry: Manifest) -> ResourceRef:
    """The resource that an entry of Argo CD's lists names by group, version, kind, namespace, name and uid. It serves
    for naming and looking up: its values are not validated."""
    return ResourceRef.unchecked(
        group=text_at(entry, "group"),
        version=text_at(entry, "version"),
        kind=text_at(entry, "kind"),
        namespace=text_at(entry, "namespace"),
        name=text_at(entry, "name"),
        uid=text_at(entry, "uid"),
    )


type _Values = tuple[Any, Any, Any, Any, Any]
"""apiVersion, kind, name, namespace and uid, as a manifest has them."""


def _reference(values: _Values) -> ResourceRef | None:
    api_version, kind, name, namespace, uid = map(text_at, values)
    if not kind or not name:
        return None
    group, _, version = api_version.rpartition("/")
    return ResourceRef.unchecked(group=group, version=version, kind=kind, namespace=namespace, name=name, uid=uid)


class _References(dict[_Values, ResourceRef | None]):
    """A cache of references by what manifests hold: the findings of one object need its reference ten times."""

    _MOST = 4_096
    _LENGTH = 253

    def __missing__(self, values: _Values) -> ResourceRef | None:
        reference = _reference(values)
        # A number is equal to a boolean, and written otherwise; a name of a megabyte is none of Kubernetes.
        if all(value is None or (isinstance(value, str) and len(value) <= self._LENGTH) for value in values):
            if len(self) >= self._MOST:
                self.clear()
            self[values] = reference
        return reference


_references = _References()


class Target(BaseModel):
    """What the question is about. Both None: a general question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    application: ApplicationRef | None = Field(default=None)
    resource: ResourceRef | None = Field(default=None)

    def __bool__(self) -> bool:
        return self.application is not None or self.resource is not None

    def __str__(self) -> str:
        if self.resource and self.application:
            return f"{self.resource} of {self.application}"
        return str(self.resource or self.application or "no resource")
