package cibus

import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*

/**
 * Writes a piece of syntax tree as plain maps for Python: `t` is the kind, `id` names the node, `l` and `c` are its
 * line and column, `el` and `ec` where it ends.
 */
@CompileStatic
class Tree {
    final List<ASTNode> nodes = new ArrayList<>()

    private Map node(String kind, ASTNode n) {
        Map m = new LinkedHashMap()
        m.put('t', kind)
        m.put('id', nodes.size())
        nodes.add(n)
        m.put('l', n.lineNumber)
        m.put('c', n.columnNumber)
        m.put('el', n.lastLineNumber)
        m.put('ec', n.lastColumnNumber)
        m
    }

    List<Map> statements(Statement s) {
        if (s instanceof BlockStatement) {
            List<Map> out = new ArrayList<>()
            for (Statement each : ((BlockStatement) s).statements) out.add(statement(each))
            return out
        }
        s == null || s instanceof EmptyStatement ? new ArrayList<Map>() : [statement(s)]
    }

    Map statement(Statement s) {
        if (s instanceof ExpressionStatement) {
            Map m = node('stmt', s)
            m.put('e', expression(((ExpressionStatement) s).expression))
            return m
        }
        if (s instanceof ReturnStatement) {
            Map m = node('return', s)
            m.put('e', expression(((ReturnStatement) s).expression))
            return m
        }
        Map m = node('other', s)
        m.put('k', s.class.simpleName)
        if (s instanceof BlockStatement) m.put('stmts', statements(s))
        if (s instanceof IfStatement) m.put('stmts', statements(((IfStatement) s).ifBlock) + statements(((IfStatement) s).elseBlock))
        if (s instanceof ForStatement) m.put('stmts', statements(((ForStatement) s).loopBlock))
        if (s instanceof WhileStatement) m.put('stmts', statements(((WhileStatement) s).loopBlock))
        if (s instanceof TryCatchStatement) {
            TryCatchStatement t = (TryCatchStatement) s
            List<Map> all = statements(t.tryStatement)
            for (CatchStatement c : t.catchStatements) all.addAll(statements(c.code))
            all.addAll(statements(t.finallyStatement))
            m.put('stmts', all)
        }
        m
    }

    Map expression(Expression e) {
        if (e instanceof MethodCallExpression) return call((MethodCallExpression) e)
        if (e instanceof ConstantExpression) {
            Object v = ((ConstantExpression) e).value
            Map m = node('const', e)
            m.put('v', v instanceof String || v instanceof Boolean || v instanceof Integer || v == null ? v : v.toString())
            m.put('cls', v == null ? 'null' : v.getClass().name)
            return m
        }
        if (e instanceof GStringExpression) {
            Map m = node('gstring', e)
            m.put('strings', ((GStringExpression) e).strings.collect { ConstantExpression s -> s.value as String })
            m.put('values', ((GStringExpression) e).values.collect { Expression v -> expression(v) })
            return m
        }
        if (e instanceof VariableExpression) {
            Map m = node('var', e)
            m.put('name', ((VariableExpression) e).name)
            return m
        }
        if (e instanceof PropertyExpression) {
            Map m = node('prop', e)
            m.put('obj', expression(((PropertyExpression) e).objectExpression))
            m.put('name', ((PropertyExpression) e).propertyAsString)
            return m
        }
        if (e instanceof ClosureExpression) {
            Map m = node('closure', e)
            m.put('params', ((ClosureExpression) e).parameters == null ? 0 : ((ClosureExpression) e).parameters.length)
            m.put('stmts', statements(((ClosureExpression) e).code))
            return m
        }
        if (e instanceof MapExpression) {
            Map m = node('map', e)
            m.put('named', e instanceof NamedArgumentListExpression)
            m.put('entries', ((MapExpression) e).mapEntryExpressions.collect { MapEntryExpression x ->
                Map p = node('entry', x)
                p.put('k', expression(x.keyExpression))
                p.put('v', expression(x.valueExpression))
                p
            })
            return m
        }
        if (e instanceof DeclarationExpression || e instanceof BinaryExpression) {
            BinaryExpression b = (BinaryExpression) e
            Map m = node(e instanceof DeclarationExpression ? 'decl' : 'bin', e)
            m.put('op', b.operation.text)
            m.put('left', expression(b.leftExpression))
            m.put('right', expression(b.rightExpression))
            return m
        }
        if (e instanceof TupleExpression) {
            Map m = node('list', e)
            m.put('items', ((TupleExpression) e).expressions.collect { Expression x -> expression(x) })
            return m
        }
        if (e instanceof ListExpression) {
            Map m = node('list', e)
            m.put('items', ((ListExpression) e).expressions.collect { Expression x -> expression(x) })
            return m
        }
        Map m = node('expr', e)
        m.put('k', e.class.simpleName)
        if (e instanceof ConstructorCallExpression) m.put('type', ((ConstructorCallExpression) e).type.name)
        if (e instanceof UnaryMinusExpression) m.put('of', expression(((UnaryMinusExpression) e).expression))
        m
    }

    private Map call(MethodCallExpression e) {
        Map m = node('call', e)
        m.put('name', e.methodAsString)
        m.put('obj', e.implicitThis ? null : expression(e.objectExpression))
        m.put('ml', e.method.lineNumber)
        m.put('mc', e.method.columnNumber)
        List<Map> args = new ArrayList<>()
        Expression given = e.arguments
        if (given instanceof TupleExpression) for (Expression x : ((TupleExpression) given).expressions) args.add(expression(x))
        else args.add(expression(given))
        m.put('args', args)
        m.put('al', given.lineNumber)
        m.put('ac', given.columnNumber)
        m
    }
}
