"""What the client does for reviews: check specs, export, compare, show, publish, submit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdock.client.runs import Run
from crossdock.client.starting import Order, check_schedules, prepared, publish, start, start_schedule
from crossdock.dsl.errors import BadInput, Problem, UnsupportedError
from crossdock.dsl.pipeline import Pipeline
from crossdock.passes.load import Loaded, load
from crossdock.review.check import CheckedSpec, check_spec

if TYPE_CHECKING:
    from crossdock.review.build import Built
    from crossdock.review.code_package import CodePackage
    from crossdock.review.difference import Difference
    from crossdock.review.export import Exported
    from crossdock.review.lock import Bundle
    from crossdock.stacks import Orchestrator, Schedule, Stack
    from crossdock.stacks.workspace import Workspace
    from crossdock_runtime.driver import Event

FORMATS = ("tree", "mermaid", "svg")


class ReviewVerbs:
    """The part of `Client` that a review needs."""

    workspace: Workspace
    _given: str | None
    _stack: Stack | None

    if TYPE_CHECKING:

        @property
        def stack(self) -> Stack: ...

        def _orchestrator(self, target: str | None) -> Orchestrator[Any]: ...

    def check_spec(
        self, path: str | Path, target: str | None = None, *, all_targets: bool = False
    ) -> list[CheckedSpec]:
        """What is wrong with a native spec, whoever wrote it; nothing is asked over a network.

        Args:
            path: the file.
            target: the flavor to ask; None asks the first that takes the file for a spec of its own.
            all_targets: ask every one that does.

        Raises:
            BadInput: the file cannot be read, no flavor knows it, or the flavor named checks no specs.
        """
        return check_spec(Path(path), target, all_targets)

    def export(
        self,
        source: str | Pipeline[Any, Any] | Loaded,
        folder: str | Path | None = None,
        *,
        stacks: Sequence[str] = (),
        all_stacks: bool = False,
        target: str | None = None,
    ) -> Exported:
        """The bundle that is reviewed before anything runs: the native spec, the plan, REVIEW.md, a picture, a lock.

        Args:
            source: see `load`.
            folder: where to write it; None writes nothing.
            stacks: names; with several, each has a folder of its own, and STACKS.md says what differs.
            all_stacks: every stack that there is; those that cannot run it are named in STACKS.md.
            target: a flavor instead of stacks; marked placeholders stand for what a stack would say.

        Raises:
            UnsupportedError: it cannot run there; has every reason at once.
            BadInput: a file holds what looks like a secret, or something else is in the folder.
        """
        from crossdock.review.export import export_one, export_several
        from crossdock.review.folder import publish as write

        loaded = source if isinstance(source, Loaded) else load(source)
        if target is not None:
            if stacks or all_stacks:
                raise BadInput(
                    "a target stands alone, without stacks",
                    hint="leave out the target or the stacks",
                    id="target-and-stack",
                )
            exported = export_one(loaded, self._orchestrator(target), None)
        elif all_stacks or len(stacks) > 1:
            names = self.workspace.files.stack_names() if all_stacks else tuple(dict.fromkeys(stacks))
            exported = export_several(loaded, [self.workspace.build(name) for name in names], all_that_can=all_stacks)
        else:
            stack = self.workspace.build(stacks[0]) if stacks else self.stack
            exported = export_one(loaded, stack.orchestrator, stack)
        if folder is not None:
            write(Path(folder), exported.files)
        return exported

    def diff(
        self, source: str | Pipeline[Any, Any] | Loaded, folder: str | Path, *, stack: str | None = None
    ) -> list[Difference]:
        """What changed since a bundle was exported; of several stacks, one after the other.

        Args:
            source: see `load`.
            folder: what `export` wrote.
            stack: only that one of several.

        Raises:
            BadInput: there is no bundle.
            UnsupportedError: the pipeline cannot run there any more.
        """
        from crossdock.review.difference import compare
        from crossdock.review.export import make_bundle
        from crossdock.review.lock import bundle_folders, read_bundle, tampered_table

        loaded = source if isinstance(source, Loaded) else load(source)
        names = [stack] if stack is not None else list(bundle_folders(Path(folder)))
        found = []
        for name in names:
            reviewed = read_bundle(Path(folder), name)
            on, orchestrator = self._made_for(reviewed)
            present, _ = make_bundle(loaded, orchestrator, on)
            found.append(compare(reviewed, present))
        table = tampered_table(Path(folder))
        if table:
            found[0] = replace(found[0], tampered=(*table, *found[0].tampered))
        return found

    def show(self, source: str | Pipeline[Any, Any] | Loaded, format: str = "tree") -> str:
        """The DAG of a pipeline as text.

        Args:
            source: see `load`.
            format: `tree`, `mermaid` or `svg`.
        """
        from crossdock.dsl.errors import did_you_mean
        from crossdock.review import pictures

        if format not in FORMATS:
            raise BadInput(f"there is no format {format!r}", hint=did_you_mean(format, FORMATS), id="unknown-format")
        loaded = source if isinstance(source, Loaded) else load(source)
        text: str = getattr(pictures, format)(loaded.plan)
        return text

    def publish(
        self, folder: str | Path, *, stack: str | None = None, tell: Callable[[str], None] | None = None
    ) -> str:
        """Upload the plan of a bundle and its code package to its stack's artifact store; returns where the plan is.

        The working tree is packed again.

        Args:
            folder: what `export` wrote.
            stack: which of several.
            tell: is given a line about what was packed.

        Raises:
            BadInput: the bundle is not what was exported, or was made for a target alone; or what is packed now is not
                what was reviewed.
        """
        from crossdock.review.drift import packed_again

        bundle, on = self._reviewed(Path(folder), stack)
        code = packed_again(bundle, on)
        if code is not None and tell is not None:
            tell(code.summary())
        store = on.artifact_store.open()
        return f"{store.url}/{publish(store, bundle.plan, code)}"

    def build(self, source: str | Pipeline[Any, Any] | Loaded, *, tell: Callable[[str], None] | None = None) -> Built:
        """Build the images that a pipeline's tasks run in, those that are not there yet, and write `images.lock`.

        Args:
            source: see `load`.
            tell: is given each line of progress.

        Raises:
            BadInput: the stack has no place for images, or a Dockerfile, a base image or a requirement is wrong.
            PlatformError: the engine or the registry refuses, or cannot be reached.
        """
        from crossdock.review.build import build
        from crossdock.review.check import check_stack

        loaded = source if isinstance(source, Loaded) else load(source)
        check_stack(loaded, self.stack)
        return build(loaded, self.stack, tell or (lambda line: None))

    def submit(
        self,
        source: str | Path | Pipeline[Any, Any] | Loaded,
        parameters: Mapping[str, Any] | None = None,
        *,
        texts: Mapping[str, str] | None = None,
        confirm: str | None = None,
        wait: bool = False,
        cache: bool = True,
        run_id: str | None = None,
        tags: Iterable[str] = (),
        on_event: Callable[[Event], None] | None = None,
        tell: Callable[[str], None] | None = None,
        raise_on_failure: bool = True,
    ) -> Run:
        """Start a run: of a pipeline as it is now, or of a bundle byte for byte.

        Of a pipeline, the images that it lacks are built first. Of a bundle nothing is built.

        Args:
            source: see `load`; or the folder of a bundle, whose stack it goes to.
            parameters: values by name.
            texts: values as text by name, from a command line.
            confirm: the name of a protected stack.
            wait: return when the run has ended. What runs on this machine has ended in any case.
            cache: False runs every task.
            run_id: a fixed id instead of a new one.
            tags: names to find the run by.
            on_event: is told what happens, where it runs on this machine.
            tell: is given each line of progress of builds.
            raise_on_failure: False returns a failed run too.

        Raises:
            BadInput: the stack refuses it; or the bundle is not what was exported, or not what would run.
            UnsupportedError: the stack's orchestrator cannot run it.
            PlatformError: an image cannot be built, or the platform cannot be reached.
            RunFailed: a task failed.
        """
        if isinstance(source, (str, Path)) and Path(source).is_dir():
            stack, order = self._order_of_bundle(Path(source), parameters or {}, texts or {})
        else:
            stack, order = self._order_of_source(source, parameters or {}, texts or {}, confirm, tell)
        order = replace(
            order, confirm=confirm, wait=wait, cache=cache, run_id=run_id, tags=tuple(tags), on_event=on_event
        )
        return Run(*start(stack, order, raise_on_failure=raise_on_failure))

    def schedule(
        self,
        source: str | Path | Pipeline[Any, Any] | Loaded,
        cron: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        texts: Mapping[str, str] | None = None,
        confirm: str | None = None,
        cache: bool = True,
        tell: Callable[[str], None] | None = None,
    ) -> Schedule:
        """Let the stack's platform start runs by the clock: of a pipeline as it is now, or of a bundle byte for byte.

        Args:
            source: as of `submit`.
            cron: minute, hour, day, month and weekday, in UTC.
            parameters, texts, confirm, cache, tell: as of `submit`.

        Raises:
            BadInput: as `submit`; or the platform has no schedules, or the expression is none.
            PlatformError: it cannot be reached, or refuses.
        """
        if isinstance(source, (str, Path)) and Path(source).is_dir():
            stack, order = self._order_of_bundle(Path(source), parameters or {}, texts or {})
        else:
            check_schedules(self.stack)
            stack, order = self._order_of_source(source, parameters or {}, texts or {}, confirm, tell)
        return start_schedule(stack, replace(order, confirm=confirm, cache=cache), cron)

    def _order_of_source(
        self,
        source: str | Path | Pipeline[Any, Any] | Loaded,
        parameters: Mapping[str, Any],
        texts: Mapping[str, str],
        confirm: str | None,
        tell: Callable[[str], None] | None,
    ) -> tuple[Stack, Order]:
        from crossdock.passes.parameters import bind
        from crossdock.review.check import check_stack
        from crossdock.review.export import make_bundle

        stack = self.stack
        loaded = source if isinstance(source, Loaded) else load(str(source) if isinstance(source, Path) else source)
        check_stack(loaded, stack)
        tagged = bind(loaded.pipeline, loaded.plan, parameters, texts)
        found = prepared(loaded, stack, confirm, tell)
        bundle, _ = make_bundle(loaded, stack.orchestrator, stack, found)
        _refuse_placeholders(bundle)
        order = Order(
            bundle.plan,
            tagged,
            spec=bundle.spec,
            code=None if found is None else found.code,
            source=loaded.source,
            root=loaded.root,
            modules=loaded.modules,
        )
        return stack, order

    def _order_of_bundle(
        self, folder: Path, parameters: Mapping[str, Any], texts: Mapping[str, str]
    ) -> tuple[Stack, Order]:
        from crossdock.review.build import refuse_missing
        from crossdock.review.drift import drifted, root_of
        from crossdock.review.lock import code_of

        bundle, stack = self._reviewed(folder, None)
        _refuse_placeholders(bundle)
        source = str(bundle.lock["source"])
        if stack.orchestrator.remote or bundle.plan.packaging is not None:
            tagged = self._parameters(bundle, parameters, texts)
            refuse_missing(bundle.plan, bundle.lock.get("images", {}), stack)
            code = _code_of(bundle, stack)
            return stack, Order(bundle.plan, tagged, spec=bundle.spec, code=code, source=source, reviewed=True)
        root = root_of(bundle)
        problems = list(drifted(bundle.plan, root))
        if problems:
            raise BadInput(
                "the code that would run is not the code that was reviewed",
                problems=problems,
                hint="check the reviewed commit out; or export again, and have it reviewed",
                id="code-drift",
            )
        modules = tuple(dict.fromkeys(ref.partition(":")[0] for ref in code_of(bundle.plan)))
        tagged = self._parameters(bundle, parameters, texts)
        order = Order(bundle.plan, tagged, spec=bundle.spec, source=source, root=root, modules=modules, reviewed=True)
        return stack, order

    def _parameters(self, bundle: Bundle, given: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
        """Tagged values of a bundle's parameters; the pipeline's file says of what types those are that are given."""
        from crossdock.passes.parameters import bind
        from crossdock.review.drift import root_of

        plan = bundle.plan
        required = [name for name, item in plan.parameters.items() if item.required]
        if not given and not texts and not required:
            return {name: item.default for name, item in plan.parameters.items()}
        file, _, name = str(bundle.lock["source"]).rpartition(":")
        loaded = load(f"{root_of(bundle) / file}:{name}" if file.endswith(".py") else str(bundle.lock["source"]))
        if loaded.plan.parameters != plan.parameters:
            raise BadInput(
                "the pipeline's parameters are not those that were reviewed",
                hint="check the reviewed commit out; or export again, and have it reviewed",
                id="parameters-changed",
            )
        return bind(loaded.pipeline, plan, given, texts)

    def _reviewed(self, folder: Path, stack: str | None) -> tuple[Bundle, Stack]:
        """A bundle that is as it was exported, and the stack that it was made for, as that is now.

        Raises:
            BadInput: one of them was changed since.
        """
        from crossdock.review.lock import components, read_bundle, refuse_tampered

        bundle = read_bundle(folder, stack or self._given)
        refuse_tampered(bundle)
        on, _ = self._made_for(bundle)
        if on is None:
            raise BadInput(
                f"the bundle {str(folder)!r} was made for target {bundle.target!r} alone, with placeholders",
                hint="crossdock export SOURCE --stack NAME -o DIR",
                id="placeholders",
            )
        before, now = bundle.lock.get("components", {}), components(on)
        problems = [
            Problem(f"{name} was {'changed' if name in before and name in now else 'added or taken away'}")
            for name in dict.fromkeys((*before, *now))
            if before.get(name) != now.get(name)
        ]
        if problems:
            raise BadInput(
                f"stack {on.name!r} was changed since the bundle was exported",
                problems=problems,
                hint=f"crossdock diff SOURCE {folder}; then export again, and have it reviewed",
                id="stack-changed",
            )
        return bundle, on

    def _made_for(self, bundle: Bundle) -> tuple[Stack | None, Orchestrator[Any]]:
        if bundle.stack is None:
            return None, self._orchestrator(bundle.target)
        if self._stack is not None and self._stack.name == bundle.stack:
            return self._stack, self._stack.orchestrator
        stack = self.workspace.build(bundle.stack)
        return stack, stack.orchestrator


def _code_of(bundle: Bundle, stack: Stack) -> CodePackage | None:
    """The code package of a bundle, where the store has it not: packed from the working tree, if that is still it."""
    from crossdock.review.drift import packed_again
    from crossdock_runtime.code import code_key

    packaging = bundle.plan.packaging
    if packaging is None or packaging.code is None or stack.artifact_store.open().exists(code_key(packaging.code)):
        return None
    return packed_again(bundle, stack)


def _refuse_placeholders(bundle: Bundle) -> None:
    names = bundle.placeholders()
    if names:
        raise UnsupportedError(
            f"the spec for {bundle.target} holds placeholders",
            tuple(Problem("holds crossdock-placeholder", where=name) for name in names),
            hint=f"give the orchestrator of stack {bundle.stack!r} what it lacks (an image, …), and export again",
        )
