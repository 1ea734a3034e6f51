import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction, useWallet } from '../wallet-context.ts';
import { WORLD_COMMANDS, type WorldCommand } from '../world-commands.ts';
import type { World } from '../world.ts';
import { ActionButton } from './action-button.tsx';

export interface WorldPanelProps {
  readonly world: World;
}

/** Buttons for the regtest world that the wallet runs in: coins, blocks, and a peer that pays. */
export function WorldPanel({ world }: WorldPanelProps): JSX.Element {
  const [outcome, setOutcome] = useState('');
  return (
    <section class="card stack world">
      <h2>Regtest world</h2>
      <p class="muted">A chain and a peer of your own, with coins that are worth nothing.</p>
      <div class="buttons">
        {WORLD_COMMANDS.map((command) => (
          <WorldButton key={command.name} world={world} command={command} onOutcome={setOutcome} />
        ))}
      </div>
      <p role="status" class="muted">
        {outcome}
      </p>
    </section>
  );
}

interface WorldButtonProps extends WorldPanelProps {
  readonly command: WorldCommand;
  readonly onOutcome: (outcome: string) => void;
}

function WorldButton({ world, command, onOutcome }: WorldButtonProps): JSX.Element {
  const view = useWallet();
  const action = useAction(() => command.run(world, view).then(onOutcome));
  return (
    <ActionButton action={action} look="plain">
      {command.name}
    </ActionButton>
  );
}
