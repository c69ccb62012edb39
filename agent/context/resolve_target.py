"""Completing a target: an Application that was named as a resource, and missing fields filled from what was read."""

from agent.objects.manifest import Manifest, text_at
from agent.objects.target import ApplicationRef, ResourceRef, Target


def as_application(target: Target) -> Target:
    """Return the target, its resource turned into the Application if it names one."""
    named, resource = target.application, target.resource
    if resource is None or (resource.group, resource.kind.casefold()) != ("argoproj.io", "application"):
        return target
    itself = ApplicationRef.model_construct(name=resource.name, namespace=resource.namespace, project="")
    if named is None:
        return Target(application=itself)
    same = named.name == itself.name and (
        named.namespace == itself.namespace or not (named.namespace and itself.namespace)
    )
    return Target(application=named) if same else target


def completed(target: Target, application: Manifest | None, manifest: Manifest | None, *, supplied: bool) -> Target:
    """Return the target, its missing fields filled in. `supplied`: the manifest came from the caller, who may have
    meant another resource."""
    named, resource = target.application, target.resource
    if named and text_at(application, "metadata", "name") == named.name:
        named = named.model_copy(
            update={
                "namespace": named.namespace or text_at(application, "metadata", "namespace"),
                "project": named.project or text_at(application, "spec", "project"),
            }
        )
    read = ResourceRef.of(manifest) if manifest else None
    # A supplied manifest may be another resource, or lack fields that the target has.
    if resource and read and (not supplied or (read.kind, read.name) == (resource.kind, resource.name)):
        resource = ResourceRef.unchecked(
            group=read.group or resource.group,
            version=read.version or resource.version,
            kind=read.kind,
            namespace=read.namespace or resource.namespace,
            name=read.name,
            uid=read.uid or resource.uid,
        )
    if (named, resource) == (target.application, target.resource):
        return target
    return Target(application=named, resource=resource)


def application_object(application: ApplicationRef | None, manifest: Manifest | None) -> ResourceRef:
    """Return the Application as the object that its events are about."""
    return ResourceRef.model_construct(
        group="argoproj.io",
        version="v1alpha1",
        kind="Application",
        namespace=application.namespace if application else "",
        name=application.name if application else "",
        uid=text_at(manifest, "metadata", "uid"),
    )
