import { post } from '../../api/client';

export const load = (model: string) => post<{ id: string; state: string }>('/api/models', { model, action: 'load' });
export const unload = (model: string) => post<{ id: string; state: string }>('/api/models', { model, action: 'unload' });
