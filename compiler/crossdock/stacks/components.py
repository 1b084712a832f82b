"""The verbs on components, and what both they and those on stacks need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.stacks.definitions import (
    COMPONENT_TYPES,
    DEFAULT,
    REQUIRED,
    ComponentDefinition,
    check_name,
    dashed,
    title,
)
from crossdock.stacks.files import DefinitionFiles

T = TypeVar("T")


class Components:
    """The components that hold in a folder.

    Attributes:
        files: where they are defined.
    """

    files: DefinitionFiles

    def components(self, type_: str | None = None) -> list[ComponentDefinition]:
        """All components whose files are whole, or those of a type.

        Raises:
            BadInput: there is no such type.
        """
        found = self.survey_components(type_).values()
        return [item for item in found if isinstance(item, ComponentDefinition)]

    def survey_components(self, type_: str | None = None) -> dict[tuple[str, str], ComponentDefinition | BadInput]:
        """All components by type and name; where a file is damaged, the error in its place.

        Raises:
            BadInput: there is no such type.
        """
        types = COMPONENT_TYPES if type_ is None else (component_type(type_),)
        names = [(found, name) for found in types for name in self.files.component_names(found)]
        return {key: or_error(self.files.component, *key) for key in names}

    def component(self, type_: str, name: str) -> ComponentDefinition:
        """A component.

        Raises:
            BadInput: there is no such type or component, or its file is damaged.
        """
        return self.files.component(component_type(type_), name)

    def create_component(
        self,
        type_: str,
        name: str,
        flavor: str,
        config: Mapping[str, Any] | None = None,
        *,
        texts: Mapping[str, str | None] | None = None,
    ) -> ComponentDefinition:
        """Define a component.

        Args:
            type_: its type.
            name: its name.
            flavor: an installed flavor of that type.
            config: values by name, those of a nested model as `outer.inner`.
            texts: the same as texts of a command line; None is what an option without a value says.

        Raises:
            BadInput: there is one of that name, no such flavor, or the configuration is not what it takes.
        """
        from crossdock.stacks.fields import changed

        type_ = component_type(type_)
        check_name(name, f"a component ({title(type_)})")
        body = changed(type_, flavor, {}, config or {}, texts or {})
        component = ComponentDefinition(type_, name, flavor, body, level=self.files.level)
        check_component(component)
        with self.files.locked():
            self.files.write(component, new=True)
        return self.files.component(type_, name)

    def update_component(
        self,
        type_: str,
        name: str,
        config: Mapping[str, Any] | None = None,
        *,
        texts: Mapping[str, str | None] | None = None,
        remove: Iterable[str] = (),
    ) -> ComponentDefinition:
        """Change some of a component's configuration.

        Args:
            type_: its type.
            name: its name.
            config: values by name, those of a nested model as `outer.inner`.
            texts: the same as texts of a command line.
            remove: names of values to take out, so that the default holds again.

        Raises:
            BadInput: there is no such component, or the configuration is not what its flavor takes.
        """
        from crossdock.stacks.fields import changed, without

        type_ = component_type(type_)
        self.refuse_built_in(name, "update", type_)
        with self.files.locked():
            before = self.files.component(type_, name)
            body = changed(type_, before.flavor, before.config, config or {}, texts or {})
            for key in remove:
                body = without(body, key, f"{title(type_)} {name!r}")
            after = replace(before, config=body)
            check_component(after)
            self.files.write(after, new=False)
        return self.files.component(type_, name)

    def rename_component(self, type_: str, name: str, new_name: str) -> ComponentDefinition:
        """Give a component another name, in the stacks that have it too.

        Raises:
            BadInput: there is no such component, or one of the new name.
        """
        type_ = component_type(type_)
        self.refuse_built_in(name, "rename", type_)
        with self.files.locked():
            before = self.files.component(type_, name)
            self.files.write(replace(before, name=new_name), new=True)
            for stack_name in self.files.stacks_with(type_, name):
                stack = self.files.stack(stack_name)
                names = tuple(new_name if found == name else found for found in stack.components[type_])
                members = {**stack.components, type_: names}
                self.files.write(replace(stack, components=members), new=False)
            self.files.delete_component(type_, name)
        return self.files.component(type_, new_name)

    def copy_component(self, type_: str, name: str, new_name: str) -> ComponentDefinition:
        """A new component with the flavor and configuration of another.

        Raises:
            BadInput: there is no such component, or one of the new name.
        """
        type_ = component_type(type_)
        with self.files.locked():
            before = self.files.component(type_, name)
            self.files.write(replace(before, name=new_name, level=self.files.level), new=True)
        return self.files.component(type_, new_name)

    def delete_component(self, type_: str, name: str) -> None:
        """Delete a component.

        Raises:
            BadInput: there is none, it is built in, or a stack has it.
        """
        self.refuse_delete(type_, name)
        type_ = component_type(type_)
        with self.files.locked():
            self.refuse_delete(type_, name)
            self.files.delete_component(type_, name)

    def refuse_delete(self, type_: str, name: str) -> None:
        """Whether a component may be deleted.

        Raises:
            BadInput: as `delete_component`.
        """
        type_ = component_type(type_)
        self.refuse_built_in(name, "delete", type_)
        if name not in self.files.component_names(type_):
            raise self.files.no_component(type_, name)
        stacks = self.files.stacks_with(type_, name)
        if stacks:
            raise BadInput(
                f"{title(type_)} {name!r} is part of the stacks {', '.join(stacks)}",
                hint=f"crossdock stack update {stacks[0]} --{dashed(type_)} OTHER, or delete the stacks",
                id="component-in-use",
            )

    def refuse_built_in(self, name: str, verb: str, type_: str | None = None) -> None:
        """What is built in does not change.

        Raises:
            BadInput: it is to be changed.
        """
        if name != DEFAULT or (type_ is not None and type_ not in REQUIRED):
            return
        what = title(type_) if type_ else "stack"
        copy = f"{type_.replace('_', '-')} copy" if type_ else "stack copy"
        raise BadInput(
            f"the {what} {DEFAULT!r} is built in: no {verb}", hint=f"crossdock {copy} {DEFAULT} NEW", id="built-in"
        )


def or_error(read: Callable[..., T], *key: str) -> T | BadInput:
    """What a function gives, or the error that says why not."""
    try:
        return read(*key)
    except BadInput as error:
        return error


def component_type(text: str) -> str:
    """A component type in either spelling, `artifact-store` or `artifact_store`.

    Raises:
        BadInput: there is none.
    """
    found = text.replace("-", "_")
    if found not in COMPONENT_TYPES:
        raise BadInput(
            f"there is no component type {text!r}",
            hint=did_you_mean(found, COMPONENT_TYPES),
            id="unknown-component-type",
        )
    return found


def check_component(component: ComponentDefinition) -> None:
    """A configuration that its flavor does not take is not written."""
    from crossdock.stacks.resolve import build_component

    build_component(component)
