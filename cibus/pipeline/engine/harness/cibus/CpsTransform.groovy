package cibus

import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.*
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.customizers.CompilationCustomizer
import org.codehaus.groovy.control.messages.SyntaxErrorMessage
import org.codehaus.groovy.syntax.SyntaxException
import org.codehaus.groovy.syntax.Types

/**
 * The strict mode's rewriting of scripts: calls go through {@link Cps}, which knows what an older controller's CPS
 * and sandbox refuse; methods and closures say when they are entered; local variables are noted, so that a step that
 * suspends can tell what could not be saved.
 */
@CompileStatic
class CpsTransform extends CompilationCustomizer {
    CpsTransform() { super(CompilePhase.CANONICALIZATION) }

    void call(SourceUnit source, GeneratorContext context, ClassNode classNode) {
        if (classNode.isInterface() || classNode.isEnum() || marked(classNode)) return
        for (MethodNode m : new ArrayList<MethodNode>(classNode.methods)) {
            if (m.synthetic || m.abstract || m.code == null || marked(m) || m.declaringClass != classNode) continue
            if (m.name == 'main' && m.static && classNode.isScript()) continue
            if (m.code instanceof ExpressionStatement) m.code = new BlockStatement([m.code] as List<Statement>, new VariableScope())
            if (!(m.code instanceof BlockStatement)) continue
            new CpsRewriter(source, m).rewrite()
        }
    }

    static boolean marked(AnnotatedNode n) { n.annotations.any { AnnotationNode a -> a.classNode.nameWithoutPackage == 'NonCPS' } }
}

@CompileStatic
class CpsRewriter extends ClassCodeExpressionTransformer {
    private static final ClassNode CPS = ClassHelper.make(Cps)
    private static final Set<String> UNGUARDED = ['plus', 'minus', 'multiply', 'div', 'mod', 'power', 'leftShift', 'rightShift', 'getAt', 'putAt', 'next',
        'previous', 'positive', 'negative', 'equals', 'compareTo', 'isCase', 'asType', 'asBoolean', 'hashCode', 'getProperty', 'setProperty', 'invokeMethod',
        'propertyMissing', 'methodMissing'] as Set<String>
    private static final Map<Integer, String> OPERATORS = [(Types.PLUS): 'plus', (Types.MINUS): 'minus', (Types.MULTIPLY): 'multiply', (Types.DIVIDE): 'div',
        (Types.MOD): 'mod', (Types.POWER): 'power', (Types.LEFT_SHIFT): 'leftShift', (Types.RIGHT_SHIFT): 'rightShift']

    private final SourceUnit source
    private final MethodNode method
    private int level = 0
    private boolean inClosure = false

    CpsRewriter(SourceUnit source, MethodNode method) { this.source = source; this.method = method }

    protected SourceUnit getSourceUnit() { source }

    void rewrite() {
        BlockStatement body = (BlockStatement) method.code
        body.visit(this)
        List<Statement> prologue = new ArrayList<>()
        if (guarded()) prologue.add(guard(method.static ? (Expression) new ClassExpression(method.declaringClass) : VariableExpression.THIS_EXPRESSION, method.name, method.parameters))
        else prologue.add(statement(cps('entered')))
        for (Parameter p : method.parameters) prologue.add(note(p.name, new VariableExpression(p)))
        body.statements.addAll(0, prologue)
    }

    private boolean guarded() {
        String n = method.name
        if (n == 'run' && method.declaringClass.isScript()) return false
        if (n in UNGUARDED) return false
        if (method.parameters.length == 0 && (n ==~ /get[A-Z].*/ || n ==~ /is[A-Z].*/)) return false
        !(method.parameters.length == 1 && n ==~ /set[A-Z].*/)
    }

    /** `if (Cps.foreign(name)) throw Cps.invocation(self, name, [arguments])` */
    private static Statement guard(Expression self, String name, Parameter[] parameters) {
        List<Expression> values = new ArrayList<>()
        for (Parameter p : parameters) values.add(new VariableExpression(p))
        Expression test = cps('foreign', new ConstantExpression(name))
        Expression error = cps('invocation', self, new ConstantExpression(name), new ListExpression(values))
        new IfStatement(new BooleanExpression(test), new ThrowStatement(error), EmptyStatement.INSTANCE)
    }

    private static MethodCallExpression cps(String name, Expression... args) {
        MethodCallExpression call = new MethodCallExpression(new ClassExpression(CPS), name, new ArgumentListExpression(args))
        call.implicitThis = false
        call
    }

    private static Statement statement(Expression e) { new ExpressionStatement(e) }

    private Statement note(String name, Expression value) { statement(cps('local', new ConstantExpression(level), new ConstantExpression(name), value)) }

    // -- statements: what is in scope

    void visitBlockStatement(BlockStatement block) {
        level++
        List<Statement> out = new ArrayList<>()
        out.add(statement(cps('leave', new ConstantExpression(level))))
        for (Statement s : block.statements) {
            s.visit(this)
            out.add(s)
            out.addAll(after(s))
        }
        boolean valued = !block.statements.isEmpty() && block.statements.last() instanceof ExpressionStatement
        block.statements.clear()
        // the last expression of a method or closure is its value, so nothing may follow it
        if (valued) while (!(out.last() instanceof ExpressionStatement) || added(out.last())) out.remove(out.size() - 1)
        block.statements.addAll(out)
        level--
    }

    private static boolean added(Statement s) {
        Expression e = ((ExpressionStatement) s).expression
        e instanceof MethodCallExpression && ((MethodCallExpression) e).objectExpression.type == CPS && ((MethodCallExpression) e).methodAsString in ['local', 'leave', 'loopVariable', 'assigned']
    }

    private List<Statement> after(Statement s) {
        if (s instanceof ExpressionStatement) {
            Expression e = ((ExpressionStatement) s).expression
            if (e instanceof BinaryExpression && ((BinaryExpression) e).operation.type == Types.ASSIGN) {
                Expression left = ((BinaryExpression) e).leftExpression
                if (e instanceof DeclarationExpression && left instanceof TupleExpression) {
                    return ((TupleExpression) left).expressions.collect { Expression v -> note(((VariableExpression) v).name, new VariableExpression((Variable) v)) }
                }
                if (left instanceof VariableExpression && (e instanceof DeclarationExpression || isLocal((VariableExpression) left))) {
                    String kind = e instanceof DeclarationExpression ? 'local' : 'assigned'
                    return [statement(cps(kind, new ConstantExpression(level), new ConstantExpression(((VariableExpression) left).name), local((VariableExpression) left)))]
                }
            }
            return []
        }
        if (s instanceof ReturnStatement || s instanceof ThrowStatement || s instanceof EmptyStatement || s instanceof BreakStatement || s instanceof ContinueStatement || s instanceof AssertStatement) return []
        [statement(cps('leave', new ConstantExpression(level + 1)))]
    }

    private static boolean isLocal(VariableExpression v) { v.accessedVariable instanceof VariableExpression || v.accessedVariable instanceof Parameter }

    private static VariableExpression local(VariableExpression v) {
        VariableExpression made = new VariableExpression(v.name, v.originType)
        made.accessedVariable = v.accessedVariable
        made.closureSharedVariable = v.closureSharedVariable
        made
    }

    void visitForLoop(ForStatement loop) {
        if (loop.variable != ForStatement.FOR_LOOP_DUMMY) {
            loop.collectionExpression = cps('iterated', new ConstantExpression(level + 1), transform(loop.collectionExpression))
            loop.loopBlock = block(loop.loopBlock)
            level++
            loop.loopBlock.visit(this)
            level--
            ((BlockStatement) loop.loopBlock).statements.add(1, statement(cps('loopVariable', new ConstantExpression(level + 2), new ConstantExpression(loop.variable.name), new VariableExpression(loop.variable))))
            return
        }
        super.visitForLoop(loop)
    }

    private static BlockStatement block(Statement s) { s instanceof BlockStatement ? (BlockStatement) s : new BlockStatement([s] as List<Statement>, new VariableScope()) }

    // -- expressions

    Expression transform(Expression e) {
        if (e == null) return null
        if (e instanceof DeclarationExpression) {
            DeclarationExpression d = (DeclarationExpression) e
            d.rightExpression = transform(d.rightExpression)
            return d
        }
        if (e instanceof MethodCallExpression) return call((MethodCallExpression) e)
        if (e instanceof StaticMethodCallExpression) return staticCall((StaticMethodCallExpression) e)
        if (e instanceof ConstructorCallExpression) return construct((ConstructorCallExpression) e)
        if (e instanceof ClosureExpression) return closure((ClosureExpression) e)
        if (e instanceof BinaryExpression) return binary((BinaryExpression) e)
        if (e instanceof SpreadExpression) return refuse(e, 'spread not yet supported for CPS transformation')
        if (e instanceof SpreadMapExpression) return refuse(e, 'spread map not yet supported for CPS transformation')
        if (e instanceof PropertyExpression && ((PropertyExpression) e).objectExpression instanceof ClassExpression && ((PropertyExpression) e).propertyAsString != 'class' && !(e instanceof AttributeExpression)) {
            Expression made = cps('staticProperty', ((PropertyExpression) e).objectExpression, new ConstantExpression(((PropertyExpression) e).propertyAsString))
            made.sourcePosition = e
            return made
        }
        if (e instanceof PropertyExpression && !(e instanceof AttributeExpression)) {
            PropertyExpression p = (PropertyExpression) e
            boolean plain = p.propertyAsString != null && !p.spreadSafe && !(p.objectExpression instanceof ClassExpression)
            if (plain && !(p.objectExpression instanceof VariableExpression && ((VariableExpression) p.objectExpression).superExpression)) {
                Expression made = cps('property', transform(p.objectExpression), new ConstantExpression(p.propertyAsString), new ConstantExpression(p.safe, true))
                made.sourcePosition = e
                return made
            }
        }
        if (e instanceof MapEntryExpression && ((MapEntryExpression) e).keyExpression instanceof SpreadMapExpression) return refuse(e, 'spread map not yet supported for CPS transformation')
        if (e instanceof PostfixExpression || e instanceof PrefixExpression) return e
        e.transformExpression(this)
    }

    private Expression refuse(Expression e, String text) {
        source.errorCollector.addErrorAndContinue(new SyntaxErrorMessage(new SyntaxException(text, e.lineNumber, e.columnNumber), source))
        e
    }

    private Expression arguments(Expression given) {
        List<Expression> out = new ArrayList<>()
        if (given instanceof TupleExpression) {
            for (Expression x : ((TupleExpression) given).expressions) out.add(x instanceof NamedArgumentListExpression ? map((NamedArgumentListExpression) x) : transform(x))
        } else out.add(transform(given))
        new ArrayExpression(ClassHelper.OBJECT_TYPE, out)
    }

    private Expression map(NamedArgumentListExpression named) {
        MapExpression m = new MapExpression(named.mapEntryExpressions.collect { MapEntryExpression x -> (MapEntryExpression) transform(x) })
        m.sourcePosition = named
        m
    }

    private Expression call(MethodCallExpression c) {
        if (c.objectExpression instanceof VariableExpression && ((VariableExpression) c.objectExpression).isSuperExpression()) {
            c.arguments = c.arguments.transformExpression(this)
            return c
        }
        if (c.spreadSafe) return refuse(c, 'spread not yet supported for CPS transformation')
        Expression name = c.method instanceof ConstantExpression ? c.method : transform(c.method)
        Expression made
        if (c.implicitThis && inClosure) {
            MethodCallExpression self = new MethodCallExpression(VariableExpression.THIS_EXPRESSION, 'clone', MethodCallExpression.NO_ARGUMENTS)
            self.implicitThis = true
            made = cps('implicit', self, name, arguments(c.arguments))
        } else {
            made = cps('call', transform(c.objectExpression), name, arguments(c.arguments), new ConstantExpression(c.safe, true))
        }
        made.sourcePosition = c
        made
    }

    private Expression staticCall(StaticMethodCallExpression c) {
        Expression made = cps('call', new ClassExpression(c.ownerType), new ConstantExpression(c.method), arguments(c.arguments), new ConstantExpression(false, true))
        made.sourcePosition = c
        made
    }

    private Expression construct(ConstructorCallExpression c) {
        if (c.isSpecialCall() || c.usingAnonymousInnerClass) return c
        Expression made = cps('construct', new ClassExpression(c.type), arguments(c.arguments))
        made.sourcePosition = c
        made
    }

    private Expression binary(BinaryExpression b) {
        int type = b.operation.type
        String operator = OPERATORS.get(type)
        if (operator != null) {
            Expression made = cps('call', transform(b.leftExpression), new ConstantExpression(operator), new ArrayExpression(ClassHelper.OBJECT_TYPE, [transform(b.rightExpression)]), new ConstantExpression(false, true))
            made.sourcePosition = b
            return made
        }
        if (type == Types.LEFT_SQUARE_BRACKET) {
            Expression made = cps('call', transform(b.leftExpression), new ConstantExpression('getAt'), new ArrayExpression(ClassHelper.OBJECT_TYPE, [transform(b.rightExpression)]), new ConstantExpression(false, true))
            made.sourcePosition = b
            return made
        }
        b.rightExpression = transform(b.rightExpression)
        Expression left = b.leftExpression
        if (!Types.ofType(type, Types.ASSIGNMENT_OPERATOR)) b.leftExpression = transform(left)
        else if (left instanceof BinaryExpression) {
            ((BinaryExpression) left).leftExpression = transform(((BinaryExpression) left).leftExpression)
            ((BinaryExpression) left).rightExpression = transform(((BinaryExpression) left).rightExpression)
        } else if (left instanceof PropertyExpression && !(((PropertyExpression) left).objectExpression instanceof ClassExpression)) {
            PropertyExpression p = new PropertyExpression(transform(((PropertyExpression) left).objectExpression), ((PropertyExpression) left).property, ((PropertyExpression) left).safe)
            p.sourcePosition = left
            p.static = ((PropertyExpression) left).static
            p.implicitThis = ((PropertyExpression) left).implicitThis
            b.leftExpression = p
        }
        b
    }

    private Expression closure(ClosureExpression c) {
        boolean outer = inClosure
        int outerLevel = level
        inClosure = true
        level = 0
        BlockStatement body = block(c.code)
        c.code = body
        // CPS forgets the defaults of closure parameters
        if (c.parameters != null) for (Parameter p : c.parameters) if (p.hasInitialExpression()) p.initialExpression = ConstantExpression.NULL
        body.visit(this)
        List<Statement> prologue = new ArrayList<>()
        MethodCallExpression self = new MethodCallExpression(VariableExpression.THIS_EXPRESSION, 'clone', MethodCallExpression.NO_ARGUMENTS)
        self.implicitThis = true
        Parameter[] parameters = c.parameters
        prologue.add(guard(self, 'call', parameters == null ? Parameter.EMPTY_ARRAY : parameters))
        if (parameters != null && parameters.length == 0) {  // none written: there is an implicit one
            ((MethodCallExpression) ((ThrowStatement) ((IfStatement) prologue.get(0)).ifBlock).expression).arguments =
                new ArgumentListExpression([self, new ConstantExpression('call'), new ListExpression([new VariableExpression('it')] as List<Expression>)] as List<Expression>)
        } else if (parameters != null) for (Parameter p : parameters) prologue.add(note(p.name, new VariableExpression(p)))
        body.statements.addAll(0, prologue)
        level = outerLevel
        inClosure = outer
        c
    }
}
