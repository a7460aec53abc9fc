// Who asks: an API token, kept until the tab is closed, or a user's name and password, kept until the page is left.
// Without either, the browser's own session counts.
import { useState } from 'react';

const KEY = 'taskloom.authorization';

export const remembered = () => sessionStorage.getItem(KEY) ?? '';

const encode = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

export function SignIn({ authorization, onChange }) {
  const [user, setUser] = useState('');
  const [secret, setSecret] = useState('');

  function submit(event) {
    event.preventDefault();
    const value = user ? `Basic ${encode(`${user}:${secret}`)}` : secret && `Bearer ${secret.trim()}`;
    if (value && !user) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
    setSecret('');
    onChange(value);
  }

  function leave() {
    sessionStorage.removeItem(KEY);
    setUser('');
    onChange('');
  }

  if (authorization) {
    const how = authorization.startsWith('Basic') ? `as ${user}` : 'with a token';
    return (
      <div className="sign-in">
        <strong>Taskloom</strong> <span>Requests are sent {how}.</span>
        <button type="button" onClick={leave}>
          Forget
        </button>
      </div>
    );
  }
  return (
    <form className="sign-in" onSubmit={submit}>
      <strong>Taskloom</strong>
      <input aria-label="User" placeholder="User (empty for a token)" autoComplete="username" value={user} onChange={(e) => setUser(e.target.value)} />
      <input aria-label="Password or token" placeholder={user ? 'Password' : 'API token'} type="password" autoComplete="current-password" value={secret} onChange={(e) => setSecret(e.target.value)} />
      <button type="submit">Use</button>
    </form>
  );
}
