// Requests to the node. A failure is an ApiError, whose message is fit to be shown.
import { api_key, ask_for_key, begin_session, bearer } from './access';

export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    message: string,
    readonly status: number, // 0: the node did not answer
    readonly code = '',
  ) {
    super(message);
  }
}

export function headers(): Record<string, string> {
  const opened_by = bearer();
  return {
    'content-type': 'application/json',
    ...(opened_by ? { authorization: `Bearer ${opened_by}` } : {}),
  };
}

async function failure(answer: Response): Promise<ApiError> {
  let message = `The node answered with status ${answer.status}.`;
  let code = '';
  try {
    const body = (await answer.json()) as { error?: { message?: string; code?: string } };
    message = body.error?.message ?? message;
    code = body.error?.code ?? '';
  } catch {
    // No JSON: the status has to do.
  }
  return new ApiError(message, answer.status, code);
}

async function attempt(method: string, path: string, body: unknown, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      headers: headers(),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('The node does not answer. It may be restarting, or stopped.', 0);
  }
}

/// The whole response of one request, for those who read it as it comes. A token that the node has forgotten (it was
/// restarted) is asked for anew, once.
export async function send(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  let answer = await attempt(method, path, body, signal);
  if (answer.status === 401 && !api_key.value) {
    await begin_session();
    if (bearer()) answer = await attempt(method, path, body, signal);
  }
  if (answer.ok) return answer;
  const error = await failure(answer);
  if (error.status === 401) ask_for_key(error.message);
  throw error;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await send('GET', path, undefined, signal)).json()) as T;
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await send('POST', path, body, signal)).json()) as T;
}
