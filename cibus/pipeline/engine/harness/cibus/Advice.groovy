package cibus

import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.*
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*

/** What plain Groovy runs and Jenkins refuses, as far as it shows on the syntax tree: the lenient mode warns of it. */
@CompileStatic
class Advice extends CodeVisitorSupport {
    private static final int MOST = 20
    private static final Map<String, String> STATIC = ['System.exit': 'exit', 'System.getenv': 'getenv', 'System.getProperty': 'getProperty', 'Thread.sleep': 'sleep',
        'Thread.start': 'start', 'Runtime.getRuntime': 'getRuntime', 'Class.forName': 'forName', 'Eval.me': 'me', 'Jenkins.getInstance': 'getInstance', 'Jenkins.get': 'get']
    private static final Set<String> CLASSES = ['File', 'java.io.File', 'FileReader', 'FileWriter', 'FileInputStream', 'FileOutputStream', 'URL', 'java.net.URL',
        'ProcessBuilder', 'Thread', 'GroovyShell', 'GroovyClassLoader'] as Set<String>
    private static final String SANDBOX = ' is refused by the script sandbox, unless an administrator approves it'

    final List<List> found = new ArrayList<>()
    private boolean nonCps = false

    static List<List> of(ModuleNode module) {
        Advice a = new Advice()
        module.statementBlock.visit(a)
        for (MethodNode m : module.methods) {
            if (m.code == null) continue
            a.nonCps = m.annotations.any { AnnotationNode n -> n.classNode.nameWithoutPackage == 'NonCPS' }
            m.code.visit(a)
        }
        a.found
    }

    private void say(ASTNode n, String text) { if (found.size() < MOST) found.add([n.lineNumber, n.columnNumber, text]) }

    private void cps(ASTNode n, String what) { if (!nonCps) say(n, what + ' is not supported by Jenkins\' CPS compiler (a method with @NonCPS may use it)') }

    protected void visitListOfExpressions(List<? extends Expression> list) {
        for (Expression e : list) if (e instanceof SpreadExpression) cps(e, 'spreading a list with *')
        super.visitListOfExpressions(list)
    }

    void visitSpreadMapExpression(SpreadMapExpression e) { cps(e, 'spreading a map with *:'); super.visitSpreadMapExpression(e) }

    void visitDeclarationExpression(DeclarationExpression e) {
        Expression right = e.rightExpression
        if (!nonCps && right instanceof BinaryExpression && ((BinaryExpression) right).operation.text == '=~') {
            say(e, 'a Matcher cannot be saved: on Jenkins a step that waits while this variable is in scope ends the build (use it in a @NonCPS method)')
        }
        super.visitDeclarationExpression(e)
    }

    void visitMethodCallExpression(MethodCallExpression c) {
        String name = c.methodAsString
        String target = c.objectExpression.text.replaceFirst(/^.*\./, '')
        if (c.spreadSafe) cps(c, 'calling a method on each element with *.')
        if (!c.implicitThis && STATIC.containsKey(target + '.' + name)) say(c, target + '.' + name + SANDBOX)
        if (name == 'execute' && !c.implicitThis && ((TupleExpression) c.arguments).expressions.isEmpty() && text(c.objectExpression)) say(c, 'running a program with execute()' + SANDBOX)
        super.visitMethodCallExpression(c)
    }

    private static boolean text(Expression e) { e instanceof GStringExpression || (e instanceof ConstantExpression && ((ConstantExpression) e).value instanceof String) || e instanceof ListExpression }

    void visitConstructorCallExpression(ConstructorCallExpression c) {
        if (c.type.name in CLASSES) say(c, 'new ' + c.type.name + SANDBOX)
        super.visitConstructorCallExpression(c)
    }

    void visitPropertyExpression(PropertyExpression p) {
        String whole = p.text
        if (whole.endsWith('Jenkins.instance')) say(p, 'Jenkins.instance' + SANDBOX)
        if (p.propertyAsString == 'rawBuild') say(p, 'currentBuild.rawBuild' + SANDBOX)
        super.visitPropertyExpression(p)
    }
}
