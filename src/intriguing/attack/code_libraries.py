"""How numba turns the functions of an attack into machine code, in less time.

Functions that Python calls, the entry points, are few. All others, the kernels, are
compiled no further than to LLVM code, which the entry points link.
"""

from types import SimpleNamespace
from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class AttackLibrary(JITCodeLibrary):
    """LLVM code as numba emits it: what optimises modules does functions too."""

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout


class KernelLibrary(AttackLibrary):
    """LLVM code of a function that only compiled ones call.

    Numba would link it with the code that it calls, optimise it and emit machine code,
    which nobody runs: an entry point does that once for all. It takes half of the time
    of compiling.
    """

    codegen: Any = SimpleNamespace(  # pyright: ignore[reportIncompatibleMethodOverride]
        set_env=lambda name, environment: None
    )

    def finalize(self) -> None:
        """Leave all to the entry points."""
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return no address: nothing of it is called."""
        return 0


class LoopLibrary(KernelLibrary):
    """The same of a loop over pixels, of which there is to be one copy.

    Inlined at every call it would be vectorised there anew, which takes most of the
    time of compiling and saves none of the time of running.
    """

    def finalize(self) -> None:
        """Keep the functions apart."""
        super().finalize()
        for function in self._final_module.functions:
            if not function.is_declaration:
                function.add_function_attribute("noinline")


class EntryLibrary(AttackLibrary):
    """Machine code of a function that Python calls, with all the kernels it reaches.

    Numba optimises twice, the first time so that it can remove references that cancel.
    Here nothing is counted, and once is enough.
    """

    def finalize(self) -> None:
        """Link callers before what they call: unreferenced functions are left out."""
        for library in self._linking_libraries:  # grows meanwhile
            if isinstance(library, KernelLibrary):
                known = self._linking_libraries
                known += [new for new in library._linking_libraries if new not in known]
        super().finalize()

    def _optimize_final_module(self) -> None:
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


class EntryCompiler(Compiler):
    """Numba's compiler for functions that Python calls."""

    library_class: type[AttackLibrary] = EntryLibrary

    def __init__(self, *settings: Any) -> None:
        super().__init__(*settings)
        codegen = self.state.targetctx.codegen()
        self.state.library = self.library_class(codegen, "attack")
        self.state.library.enable_object_caching()


class KernelCompiler(EntryCompiler):
    """Numba's compiler for functions that only compiled ones call."""

    library_class = KernelLibrary


class LoopCompiler(EntryCompiler):
    """Numba's compiler for loops over pixels that several functions call."""

    library_class = LoopLibrary
