import ts from 'typescript';

/** One change to a source file: what stands from `start` to `end` becomes `replacement`. */
export interface Mutation {
  readonly operator: Operator;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** Name and place of the innermost function around it. */
  readonly inFunction: string;
}

export type Operator =
  | 'drop a call'
  | 'swap arguments'
  | 'flip a comparison'
  | 'move a boundary'
  | 'off by one'
  | 'flip a sign'
  | 'flip a connective'
  | 'skip a branch'
  | 'take a branch'
  | 'swap branches'
  | 'drop an element';

type Found = Omit<Mutation, 'inFunction'>;

const FLIPPED: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [ts.SyntaxKind.LessThanToken, '>='],
  [ts.SyntaxKind.GreaterThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanToken, '<='],
  [ts.SyntaxKind.LessThanEqualsToken, '>'],
]);

const MOVED: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.LessThanToken, '<='],
  [ts.SyntaxKind.LessThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanToken, '>='],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>'],
]);

const SIGNS: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.PlusToken, '-'],
  [ts.SyntaxKind.MinusToken, '+'],
]);

const CONNECTIVES: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.AmpersandAmpersandToken, '||'],
  [ts.SyntaxKind.BarBarToken, '&&'],
]);

/** Every change that the operators can make in the functions of a file, in the order of the file. */
export function mutationsOf(text: string): readonly Mutation[] {
  const file = ts.createSourceFile('mutated.ts', text, ts.ScriptTarget.Latest, true);
  const found: Mutation[] = [];
  const visit = (node: ts.Node, inFunction: string | undefined): void => {
    // Types have no behaviour.
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    const inside = ts.isFunctionLike(node) ? nameOf(node, file, inFunction) : inFunction;
    if (inside !== undefined) found.push(...changesOf(node, file).map((each) => ({ ...each, inFunction: inside })));
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(file, undefined);
  return found;
}

/** The text with a mutation. */
export const mutated = (text: string, { start, end, replacement }: Mutation): string =>
  text.slice(0, start) + replacement + text.slice(end);

function nameOf(node: ts.SignatureDeclaration, file: ts.SourceFile, outer: string | undefined): string {
  const own = node.name?.getText(file);
  const assigned = ts.isVariableDeclaration(node.parent) ? node.parent.name.getText(file) : undefined;
  // A callback belongs to the function that it is written in.
  return own ?? assigned ?? outer ?? 'the module';
}

function changesOf(node: ts.Node, file: ts.SourceFile): readonly Found[] {
  if (ts.isExpressionStatement(node)) return dropped(node, file);
  if (ts.isCallExpression(node)) return swapped(node, file);
  if (ts.isBinaryExpression(node)) return ofBinary(node, file);
  if (ts.isIfStatement(node)) return ofCondition(node.expression, file);
  if (ts.isConditionalExpression(node)) return swappedBranches(node, file);
  if (ts.isNumericLiteral(node)) return [replace('off by one', node, file, String(Number(node.text) + 1))];
  if (ts.isBigIntLiteral(node))
    return [replace('off by one', node, file, `${BigInt(node.text.replace(/n$/, '')) + 1n}n`)];
  if (ts.isArrayLiteralExpression(node)) return shortened(node, file);
  return [];
}

function replace(operator: Operator, node: ts.Node, file: ts.SourceFile, replacement: string): Found {
  return { operator, start: node.getStart(file), end: node.end, replacement };
}

/** Whose order of arguments says nothing. */
const SYMMETRIC = [
  'equalBytes',
  'equalConstantTime',
  'Math.max',
  'Math.min',
  'greatest',
  'least',
  'feeForWeight',
  'isSameOutpoint',
];

/** What only another mistake could make do something, or what is for the log. */
const SILENT = ['assert', 'this.#context.parts.log', 'parts.log', 'log'];

function dropped(node: ts.ExpressionStatement, file: ts.SourceFile): readonly Found[] {
  const call = ts.isVoidExpression(node.expression) ? node.expression.expression : node.expression;
  const isCall = ts.isCallExpression(call) && call.expression.kind !== ts.SyntaxKind.SuperKeyword;
  return isCall && !SILENT.includes(call.expression.getText(file)) ? [replace('drop a call', node, file, ';')] : [];
}

function swapped(node: ts.CallExpression, file: ts.SourceFile): readonly Found[] {
  const [first, second] = node.arguments;
  if ([...SYMMETRIC, ...SILENT].includes(node.expression.getText(file))) return [];
  if (first === undefined || second === undefined) return [];
  const [a, b] = [first.getText(file), second.getText(file)];
  if (a === b || ts.isSpreadElement(first) || ts.isSpreadElement(second)) return [];
  return [{ operator: 'swap arguments', start: first.getStart(file), end: second.end, replacement: `${b}, ${a}` }];
}

function ofBinary(node: ts.BinaryExpression, file: ts.SourceFile): readonly Found[] {
  const { operatorToken: token } = node;
  const at = (operator: Operator, table: ReadonlyMap<ts.SyntaxKind, string>): readonly Found[] => {
    const replacement = table.get(token.kind);
    return replacement === undefined ? [] : [replace(operator, token, file, replacement)];
  };
  return [
    ...at('flip a comparison', FLIPPED),
    ...at('move a boundary', MOVED),
    ...at('flip a sign', isText(node) ? new Map() : SIGNS),
    ...at('flip a connective', CONNECTIVES),
  ];
}

/** Texts that are put together are for people. */
const isText = (node: ts.BinaryExpression): boolean =>
  [node.left, node.right].some((side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side));

const ofCondition = (condition: ts.Expression, file: ts.SourceFile): readonly Found[] => [
  replace('skip a branch', condition, file, 'false'),
  replace('take a branch', condition, file, 'true'),
];

function swappedBranches(node: ts.ConditionalExpression, file: ts.SourceFile): readonly Found[] {
  const [yes, no] = [node.whenTrue.getText(file), node.whenFalse.getText(file)];
  const { start, end } = { start: node.whenTrue.getStart(file), end: node.whenFalse.end };
  return yes === no ? [] : [{ operator: 'swap branches', start, end, replacement: `(${no}) : (${yes})` }];
}

function shortened(node: ts.ArrayLiteralExpression, file: ts.SourceFile): readonly Found[] {
  const last = node.elements.at(-1);
  if (last === undefined || ts.isArrayBindingPattern(node.parent)) return [];
  const before = node.elements.at(-2);
  const start = before === undefined ? last.getStart(file) : before.end;
  return [{ operator: 'drop an element', start, end: last.end, replacement: '' }];
}
