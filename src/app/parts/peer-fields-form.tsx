import type { JSX } from 'preact';
import { withNodeId, type PeerFields } from '../peer-input.ts';
import { Choice } from './choice.tsx';
import { Field } from './field.tsx';

export interface PeerFieldsFormProps {
  readonly fields: PeerFields;
  readonly onChange: (fields: PeerFields) => void;
}

const KINDS = [
  { value: 'websocket', name: 'WebSocket' },
  { value: 'proxyV1', name: 'Proxy /v1' },
  { value: 'proxyHostPort', name: 'Proxy host:port' },
] as const;

/** Who the peer is and how it is reached. */
export function PeerFieldsForm({ fields, onChange }: PeerFieldsFormProps): JSX.Element {
  const direct = fields.kind === 'websocket';
  return (
    <>
      <Field
        label="Node id"
        value={fields.nodeId}
        onInput={(typed) => onChange(withNodeId(fields, typed))}
        placeholder="02… or 02…@host:9735"
        lines={2}
        mono
      />
      <Choice
        label="Reached by"
        options={KINDS}
        value={fields.kind}
        onChoose={(kind) => onChange({ ...fields, kind })}
      />
      <Field
        label={direct ? "The peer's WebSocket" : "The proxy's WebSocket"}
        value={fields.url}
        onInput={(url) => onChange({ ...fields, url })}
        placeholder={direct ? 'wss://peer.example:9736' : 'wss://proxy.example'}
        inputMode="url"
        hint={direct ? undefined : 'A proxy passes encrypted bytes on; it sees with whom you talk, not what.'}
        mono
      />
      {!direct && (
        <div class="row">
          <Field label="Host" value={fields.host} onInput={(host) => onChange({ ...fields, host })} mono />
          <Field
            label="Port"
            value={fields.port}
            onInput={(port) => onChange({ ...fields, port })}
            inputMode="numeric"
            mono
          />
        </div>
      )}
    </>
  );
}
