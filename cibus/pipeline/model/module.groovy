// Gives the syntax tree of a script's own statements and methods, for what looks at scripts without running them.
import org.codehaus.groovy.control.CompilationUnit
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.Phases

def unit = new CompilationUnit(new CompilerConfiguration(), null, new GroovyClassLoader(cibus.Tree.classLoader))
unit.addSource('WorkflowScript', moduleSource())
unit.compile(Phases.CONVERSION)
def module = unit.AST.modules[0]
def tree = new cibus.Tree()
moduleTree(tree.statements(module.statementBlock), module.methods.collect { [name: it.name, statements: tree.statements(it.code)] })
