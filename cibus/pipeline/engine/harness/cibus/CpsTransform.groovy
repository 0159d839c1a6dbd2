package cibus

import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.customizers.CompilationCustomizer

class CpsTransform extends CompilationCustomizer {
    CpsTransform() { super(CompilePhase.CANONICALIZATION) }
    void call(SourceUnit source, GeneratorContext context, ClassNode classNode) { }
}
