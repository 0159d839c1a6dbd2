package cibus

import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.*
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.customizers.CompilationCustomizer
import org.codehaus.groovy.control.messages.SimpleMessage
import org.codehaus.groovy.control.messages.SyntaxErrorMessage
import org.codehaus.groovy.syntax.SyntaxException

/**
 * Before names are resolved: loads what `@Library` names, hands each `pipeline { }` block to Python as a tree and puts
 * in its place a call with the closures that Python asks for, and lets a void function return a value, as Jenkins does.
 */
@CompileStatic
class Declarative extends CompilationCustomizer {
    private SourceUnit last

    Declarative() { super(CompilePhase.CONVERSION) }

    void call(SourceUnit source, GeneratorContext context, ClassNode classNode) {
        if (last.is(source)) return  // another class of the same file
        last = source
        ModuleNode module = source.AST
        if (!libraries(module, source)) return
        for (MethodNode m : module.methods) if (m.voidMethod) m.returnType = ClassHelper.OBJECT_TYPE
        List<List> advice = Scripts.strict ? null : Advice.of(module)
        List<BlockStatement> places = [module.statementBlock]
        for (MethodNode m : module.methods) if (m.code instanceof BlockStatement) places.add((BlockStatement) m.code)
        int seen = 0
        for (BlockStatement place : places) {
            for (int i = 0; i < place.statements.size(); i++) {
                MethodCallExpression found = pipeline(place.statements.get(i))
                if (found != null && seen++ == 0) place.statements.set(i, replaced(found, source, module, alone(source, module, advice)))
            }
        }
        explicitThis(module, source)
        if (!Scripts.strict) advise(source, advice)
    }

    private static void advise(SourceUnit source, List<List> found) {
        if (!found.isEmpty()) Host.call('$advice', [source.name, found] as Object[])
    }

    private static MethodCallExpression pipeline(Statement s) {
        Expression e = s instanceof ExpressionStatement ? ((ExpressionStatement) s).expression : s instanceof ReturnStatement ? ((ReturnStatement) s).expression : null
        if (!(e instanceof MethodCallExpression)) return null
        MethodCallExpression m = (MethodCallExpression) e
        if (!m.implicitThis || m.methodAsString != 'pipeline' || !(m.arguments instanceof TupleExpression)) return null
        List<Expression> args = ((TupleExpression) m.arguments).expressions
        args.size() == 1 && args.get(0) instanceof ClosureExpression ? m : null
    }

    /** Whether the main script is this block and nothing else. */
    private static boolean alone(SourceUnit source, ModuleNode module, List<List> advice) {
        source.name == 'WorkflowScript' && module.methods.isEmpty() && module.statementBlock.statements.size() == 1 && !advice
    }

    private static Statement replaced(MethodCallExpression pipeline, SourceUnit source, ModuleNode module, boolean alone) {
        Tree tree = new Tree()
        Map root = tree.expression(pipeline)
        Map names = [
            imports: module.imports.collect { ImportNode i -> i.className },
            methods: module.methods.collect { MethodNode m -> m.name },
        ]
        Map answer = (Map) Host.call('$pipeline.read', [root, names, alone] as Object[])
        for (Object each : (List) answer.get('errors')) {
            Map problem = (Map) each
            source.errorCollector.addErrorAndContinue(new SyntaxErrorMessage(new SyntaxException((String) problem.get('m'), (int) problem.get('l'), (int) problem.get('c')), source))
        }
        List<MapEntryExpression> closures = new ArrayList<>()
        for (Object id : (List) answer.get('closures')) {
            closures.add(new MapEntryExpression(new ConstantExpression(String.valueOf(id)), closure(tree.nodes.get((int) id))))
        }
        ArgumentListExpression args = new ArgumentListExpression(new ConstantExpression(answer.get('model')), new MapExpression(closures))
        MethodCallExpression call = new MethodCallExpression(new ClassExpression(ClassHelper.make(DeclarativeRun)), 'start', args)
        call.sourcePosition = pipeline
        Statement s = new ExpressionStatement(call)
        s.sourcePosition = pipeline
        s
    }

    private static ClosureExpression closure(ASTNode node) {
        if (node instanceof ClosureExpression) return (ClosureExpression) node
        Statement body = node instanceof Statement ? (Statement) node : new ReturnStatement((Expression) node)
        body.sourcePosition = node
        BlockStatement block = new BlockStatement([body] as List<Statement>, new VariableScope())
        ClosureExpression c = new ClosureExpression(Parameter.EMPTY_ARRAY, block)
        c.variableScope = new VariableScope()
        c.sourcePosition = node
        c
    }

    /** Loads them; false where that failed, and the rest of the script must not be looked at. */
    private static boolean libraries(ModuleNode module, SourceUnit source) {
        List<String> wanted = new ArrayList<>()
        LibraryAnnotations finder = new LibraryAnnotations(source, wanted)
        for (ImportNode i : module.imports + module.starImports) finder.take(i.annotations)
        for (ImportNode i : module.staticImports.values() + module.staticStarImports.values()) finder.take(i.annotations)
        for (ClassNode c : module.classes) finder.visitClass(c)
        module.statementBlock.visit(finder)
        if (wanted.isEmpty()) return true
        Object found = Host.call('$libraries', [wanted.unique()] as Object[])
        if (found == null) {
            source.errorCollector.addErrorAndContinue(new SimpleMessage('Loading libraries failed', source) {
                void write(PrintWriter writer, org.codehaus.groovy.control.Janitor janitor) { writer.println(source.name + ': Loading libraries failed') }
            })
            return false
        }
        for (Object each : (List) found) Scripts.addLibrary((Map) each)
        true
    }

    /** In a closure a bare println or sleep would be Groovy's own method on the closure; in Jenkins it is the script's. */
    private static void explicitThis(ModuleNode module, SourceUnit source) {
        Set<String> own = module.methods.collect { MethodNode m -> m.name } as Set<String>
        ClassCodeVisitorSupport visitor = new ClassCodeVisitorSupport() {
            protected SourceUnit getSourceUnit() { source }

            void visitMethodCallExpression(MethodCallExpression call) {
                super.visitMethodCallExpression(call)
                String name = call.methodAsString
                if (call.implicitThis && name in ['sleep', 'println', 'print', 'printf'] && !(name in own)) {
                    call.objectExpression = VariableExpression.THIS_EXPRESSION
                    call.implicitThis = false
                }
            }
        }
        module.statementBlock.visit(visitor)
        for (MethodNode m : module.methods) if (m.code != null) m.code.visit(visitor)
    }
}

/** Collects the names given to `@Library`, on imports, classes, fields and declarations. */
@CompileStatic
class LibraryAnnotations extends ClassCodeVisitorSupport {
    private final SourceUnit source
    private final List<String> wanted

    LibraryAnnotations(SourceUnit source, List<String> wanted) { this.source = source; this.wanted = wanted }

    protected SourceUnit getSourceUnit() { source }

    void visitAnnotations(AnnotatedNode node) { take(node.annotations) }

    void visitDeclarationExpression(DeclarationExpression e) {
        take(e.annotations)
        super.visitDeclarationExpression(e)
    }

    void take(List<AnnotationNode> annotations) {
        for (AnnotationNode a : annotations) {
            if (!(a.classNode.name in ['Library', 'org.jenkinsci.plugins.workflow.libs.Library'])) continue
            Expression value = a.members.get('value')
            if (value instanceof ConstantExpression) wanted.add(((ConstantExpression) value).value as String)
            if (value instanceof ListExpression) {
                for (Expression each : ((ListExpression) value).expressions) if (each instanceof ConstantExpression) wanted.add(((ConstantExpression) each).value as String)
            }
        }
    }
}

/** Where the replaced `pipeline { }` lands: Python runs the model and calls the closures. */
class DeclarativeRun {
    static Object start(String model, Map closures) {
        Variables.share(closures.values())
        Host.call('$pipeline.run', [model, closures] as Object[])
    }
}
